import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../helpers/source-files.ts";

const PACKAGE = join(root, "packages/aftercommit");
const { exports: entries } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));

/** The names that a module exports from others, and from itself, each with the text of the file that has it. */
function exportsOf(path: string): { name: string; file: string; isType: boolean }[] {
  const text = readFileSync(path, "utf8");
  const passedOn = [...text.matchAll(/^export (type )?\{([^}]*)\} from "([^"]+)"/gms)].flatMap(
    ([, type, names = "", from = ""]) =>
      names
        .split(",")
        .map((name) => name.trim())
        .filter(Boolean)
        .map((name) => ({
          name: name.replace(/^type /, ""),
          file: join(dirname(path), from),
          isType: type !== undefined || name.startsWith("type "),
        })),
  );
  const own = [...text.matchAll(/^export (?:async )?(function|const|class|type) (\w+)/gm)].map(
    ([, kind, name = ""]) => ({ name, file: path, isType: kind === "type" }),
  );
  return [...passedOn, ...own];
}

/** The JSDoc comment right above the declaration of an export. */
function docOf({ name, file }: { name: string; file: string }): string {
  const text = readFileSync(file, "utf8");
  const at = text.search(new RegExp(`^export (async )?(function|const|class|type) ${name}\\b`, "m"));
  if (at === -1) throw new Error(`${file} has no ${name}`);
  const before = text.slice(0, at).trimEnd();
  return before.endsWith("*/") ? before.slice(before.lastIndexOf("/**")) : "";
}

const publicApi = Object.values<string>(entries).flatMap((entry) => exportsOf(join(PACKAGE, entry)));

it("every export of the package says what it is for", () => {
  expect(publicApi.filter((found) => docOf(found) === "").map(({ name }) => name)).toEqual([]);
});

it("every function, class and constant of the package has an example", () => {
  const without = publicApi.filter((found) => !found.isType && !docOf(found).includes("@example"));
  expect(without.map(({ name }) => name)).toEqual([]);
});

it("knows what the package exports", () => {
  expect(publicApi.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["defineEmbedding", "serve", "drainTask"]),
  );
});
