import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const rows = readFileSync("SECURITY.md", "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| ---"))
  .slice(1);

const testsOf = (row: string) =>
  [...row.matchAll(/`((?:tests|app|packages|emulators|\.ci)\/[^`]+|\.ci\/run)`/g)].map(
    ([, path = ""]) => path,
  );

it("each threat of SECURITY.md names a test, and each test that it names is there", () => {
  expect(rows.length).toBeGreaterThan(15);
  expect(rows.filter((row) => testsOf(row).length === 0)).toEqual([]);
  expect(rows.flatMap(testsOf).filter((path) => !existsSync(path))).toEqual([]);
});
