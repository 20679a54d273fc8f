import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root, sources } from "./sources.ts";

const files = sources.map((file) => ({
  file,
  lines: readFileSync(join(root, file), "utf8").split("\n").length - 1,
}));

it("has no file of more than 250 lines", () => {
  expect(files.filter(({ lines }) => lines > 250)).toEqual([]);
});

it("has half of its files under 80 lines, with and without the tests", () => {
  const median = (of: typeof files) => of.map(({ lines }) => lines).toSorted((a, b) => a - b)[of.length >> 1];
  expect(median(files)).toBeLessThan(80);
  expect(median(files.filter(({ file }) => !/\btests\//.test(file)))).toBeLessThan(80);
});
