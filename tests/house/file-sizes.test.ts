import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root, sources } from "../helpers/source-files.ts";

const files = sources.map((file) => ({
  file,
  lines: readFileSync(join(root, file), "utf8").split("\n").length - 1,
}));

it("no file has more than 250 lines", () => {
  expect(files.filter(({ lines }) => lines > 250)).toEqual([]);
});

it("half of the files have fewer than 80 lines, with and without the tests", () => {
  const median = (of: typeof files) => of.map(({ lines }) => lines).toSorted((a, b) => a - b)[of.length >> 1];
  expect(median(files)).toBeLessThan(80);
  expect(median(files.filter(({ file }) => !/\btests\/|\.test\.ts$/.test(file)))).toBeLessThan(80);
});

it("has no example of 60 lines or more, without the tables that an app has already", () => {
  const examples = readdirSync(join(root, "examples"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const lines = examples.map(({ name }) => {
    const own = readdirSync(join(root, "examples", name), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.name.startsWith("schema."),
    );
    const texts = own.map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
    return [name, texts.join("").split("\n").length - 1] as const;
  });
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.filter(([, count]) => count >= 60)).toEqual([]);
});
