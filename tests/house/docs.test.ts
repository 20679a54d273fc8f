import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { METRICS } from "../../packages/aftercommit/src/metrics/catalog.ts";
import { anchorsOf, type Document, documents, ROOT, read } from "../helpers/documents.ts";

// Exists only after something was installed, built, written or followed.
const NOT_COMMITTED = /^(node_modules|\.local|\.next|\.env|\.trigger)/;
const tracked = readdirSync(ROOT).filter((name) => !NOT_COMMITTED.test(name));

/** The paths of this repository that a page names, in code marks or as the target of a link. */
function pathsIn({ name, text }: Document): string[] {
  // Following a page creates the files that it calls new.
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

/** What a page says is in a file, as in `trigger` in `packages/aftercommit/src/runs/trigger-run.ts`, but is not. */
const notFoundIn = ({ text }: Document): string[] =>
  [...text.matchAll(/`(\w+)` in `([\w./-]+\.\w+)`/g)]
    .filter(([, , path = ""]) => tracked.includes(path.split("/")[0] ?? ""))
    .filter(([, word = "", path = ""]) => !new RegExp(`\\b${word}\\b`).test(read(path)))
    .map(([said]) => said);

/** The links of a page to a heading, its own or another page's, that does not exist. */
const brokenAnchorsIn = ({ name, text }: Document): string[] =>
  [...text.matchAll(/\]\((?!https?:)([^)\s#]*)#([^)\s]+)\)/g)]
    .filter(([, path = "", anchor = ""]) => {
      const target = path === "" ? text : read(join(dirname(name), path));
      return !anchorsOf(target).includes(anchor);
    })
    .map(([link]) => link);

const scriptsSchema = z.object({ scripts: z.record(z.string(), z.string()) });
const { scripts } = scriptsSchema.parse(JSON.parse(read("package.json")));

describe.each(documents)("$name", (page) => {
  it("names only paths that exist", () => {
    expect(pathsIn(page).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("does not claim that something is in a file where it is not", () => {
    expect(notFoundIn(page)).toEqual([]);
  });

  it("links only to headings that exist", () => {
    expect(brokenAnchorsIn(page)).toEqual([]);
  });

  it("names only commands that exist", () => {
    const named = [...page.text.matchAll(/npm run ([\w:-]*\w)/g)].map(([, script = ""]) => script);
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });
});

it("finds paths", () => {
  expect(
    pathsIn({ name: "docs/x.md", text: "`app/page.tsx`, [it](../app/layout.tsx#a), `app/*.tsx`, `a/b`" }),
  ).toEqual(["app/page.tsx", "app/layout.tsx"]);
});

it("finds links to headings that do not exist", () => {
  const text = "# A `b`, c\n\n[1](#a-b-c) [2](#a) [3](../README.md#search) [4](../README.md#nothing)";
  expect(brokenAnchorsIn({ name: "docs/x.md", text })).toEqual(["](#a)", "](../README.md#nothing)"]);
});

it("finds what is not where a page says", () => {
  const file = "packages/aftercommit/src/log.ts";
  const text = `\`log\` in \`${file}\`, \`lag\` in \`${file}\``;
  expect(notFoundIn({ name: "docs/x.md", text })).toEqual([`\`lag\` in \`${file}\``]);
});

describe("docs/decisions", () => {
  const decisions = documents.filter(({ name }) => /^docs\/decisions\/\d/.test(name));

  it("has one page each, of at most 40 lines", () => {
    expect(decisions.length).toBeGreaterThan(10);
    expect(decisions.filter(({ text }) => text.trimEnd().split("\n").length > 40)).toEqual([]);
  });

  it("lists each of them by its title", () => {
    const index = read("docs/decisions/README.md");
    const missing = decisions.filter(({ name, text }) => {
      const [, number = "", title = ""] = /^# (\d{3}): (.+)$/m.exec(text) ?? [];
      return !index.includes(`| [${number}](${name.slice("docs/decisions/".length)}) | ${title}`);
    });
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});

it("docs/api.md names everything that the package exports", () => {
  const page = read("docs/api.md");
  const entries = ["index.ts", "next.ts", "trigger.ts", "status.ts"].map((file) =>
    read(`packages/aftercommit/src/${file}`),
  );
  const exported = entries.flatMap((text) =>
    [...text.matchAll(/^export (?:type )?\{([^}]+)\}/gm)].flatMap(([, names = ""]) =>
      names
        .split(",")
        .map((name) => name.trim().replace(/^type /, ""))
        .filter(Boolean),
    ),
  );
  expect(exported.length).toBeGreaterThan(40);
  expect(exported.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

it("docs/operations.md lists exactly the metrics of the app", () => {
  const listed = [...read("docs/operations.md").matchAll(/^\| `(aftercommit\.[\w.]+)`/gm)].map(
    ([, name = ""]) => name,
  );
  expect(listed.toSorted()).toEqual(Object.keys(METRICS).toSorted());
});
