import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const FOLDERS = ["app", "trigger", "lib", "drizzle", "local"];
const SPECIFIER = /\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g;

/** The folders of the product that a file of each folder may import from, besides its own. */
const ALLOWED: Record<string, string[]> = {
  app: ["lib", "trigger"],
  trigger: ["lib"],
  lib: ["drizzle"],
  drizzle: [],
  local: [],
};

const sources = FOLDERS.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes("node_modules"))
    .map((name) => join(folder, name)),
);

const imports = sources.flatMap((file) => {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(SPECIFIER)].flatMap(([statement, specifier = ""]) => {
    if (!specifier.startsWith(".")) return [];
    const target = relative(root, resolve(root, dirname(file), specifier));
    return [{ file, statement, from: file.split("/")[0] ?? "", to: target.split("/")[0] ?? "", target }];
  });
});

it("finds the imports that are known to be there", () => {
  expect(imports).toContainEqual(
    expect.objectContaining({ file: "lib/embeddings/embed-rows.ts", target: "drizzle/client.ts" }),
  );
  expect(new Set(imports.map(({ from }) => from))).toEqual(new Set(FOLDERS));
});

it("goes one way: app, trigger → lib → drizzle, and local stands alone", () => {
  const wrong = imports.filter(({ from, to }) => from !== to && !ALLOWED[from]?.includes(to));
  expect(wrong.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
});

it("imports tasks as types only where routes name them", () => {
  const text = (file: string) => readFileSync(join(root, file), "utf8");
  const values = imports.filter(
    ({ file, from, to, target }) =>
      from === "app" &&
      to === "trigger" &&
      !new RegExp(`import type [^;]*${target.split("/").at(-1)}`).test(text(file)),
  );
  expect(values.map(({ file, target }) => `${file} → ${target}`)).toEqual([]);
});
