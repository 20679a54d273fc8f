import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { tarball } from "../helpers/install/tarball.ts";

it("the packed library has its code, its declarations and its schema, and no test", () => {
  const files = execFileSync("tar", ["-tzf", tarball()], { encoding: "utf8" }).trim().split("\n");
  for (const name of ["src/index.js", "src/index.d.ts", "cli/aftercommit.js", "sql/001_aftercommit.sql"])
    expect(files).toContain(`package/${name}`);
  expect(files.filter((file) => /test/.test(file))).toEqual([]);
});
