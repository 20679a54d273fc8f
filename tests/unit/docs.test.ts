import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { METRICS } from "../../lib/metrics/catalog.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const AT_THE_TOP = ["README.md", "CONTRIBUTING.md", "AGENTS.md", "SECURITY.md", "CHANGELOG.md"];
const pages = [
  ...AT_THE_TOP.filter((name) => existsSync(join(ROOT, name))),
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
].map((name) => ({ name, text: read(name) }));

// What exists only where something was installed, built, written or followed.
const NOT_COMMITTED = /^(node_modules|\.local|\.next|\.env|\.trigger)/;
const tracked = readdirSync(ROOT).filter((name) => !NOT_COMMITTED.test(name));

/** The paths of this repository that a page names: in code marks, or as the target of a link. */
function pathsIn({ name, text }: { name: string; text: string }): string[] {
  // A page that is followed makes the files that it names.
  const made = new Set([...text.matchAll(/^New file `([^`]+)`/gm)].map(([, path = ""]) => path));
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, "");
  const inCode = [...prose.matchAll(/`([\w.@/*[\]{},-]+)`/g)]
    .map(([, path = ""]) => path.replace(/:\d+$/, ""))
    .filter((path) => path.includes("/") && tracked.includes(path.split("/")[0] ?? ""))
    .filter((path) => !/[*[\]{}]/.test(path) && !made.has(path));
  const linked = [...prose.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)/g)].map(([, path = ""]) =>
    join(dirname(name), path),
  );
  return [...inCode, ...linked];
}

const scriptsSchema = z.object({ scripts: z.record(z.string(), z.string()) });
const { scripts } = scriptsSchema.parse(JSON.parse(read("package.json")));

describe.each(pages)("$name", (page) => {
  it("names only paths that exist", () => {
    expect(pathsIn(page).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("names only commands that exist", () => {
    const named = [...page.text.matchAll(/npm run ([\w:-]+)/g)].map(([, script = ""]) => script);
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });
});

it("finds paths where there are some", () => {
  expect(
    pathsIn({ name: "docs/x.md", text: "`lib/env.ts`, [it](../lib/log.ts#a), `lib/*.ts`, `a/b`" }),
  ).toEqual(["lib/env.ts", "lib/log.ts"]);
});

it("docs/operations.md lists exactly the metrics of the app", () => {
  const listed = [...read("docs/operations.md").matchAll(/^\| `(aftercommit\.[\w.]+)`/gm)].map(
    ([, name = ""]) => name,
  );
  expect(listed.toSorted()).toEqual(Object.keys(METRICS).toSorted());
});
