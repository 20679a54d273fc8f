import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";

/** Everything that a module loads: files of this repository, and names of packages. */
function loadedBy(file: string, found = new Set<string>()): Set<string> {
  for (const [, path = ""] of readFileSync(file, "utf8").matchAll(
    /^(?:im|ex)port (?!type ).*?from "(.+?)"/gms,
  )) {
    const name = path.startsWith(".") ? join(dirname(file), path) : path;
    if (found.has(name)) continue;
    found.add(name);
    if (name.endsWith(".ts")) loadedBy(name, found);
  }
  return found;
}

const isTokenizer = (name: string) => name.startsWith("gpt-tokenizer");

// Loading it takes a third of a second, and splitting a body of 300 kB as long: Sequin waits for the same event loop.
it("a server neither loads the tokenizer nor splits a text", () => {
  expect([...loadedBy("packages/aftercommit/src/trigger.ts")].filter(isTokenizer)).toHaveLength(1);
  for (const entry of ["index", "next", "status"])
    expect([...loadedBy(`packages/aftercommit/src/${entry}.ts`)].filter(isTokenizer)).toEqual([]);
});
