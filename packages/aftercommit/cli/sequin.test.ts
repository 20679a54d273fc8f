import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ROOT } from "@/tests/helpers/documents.ts";

const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sequin-command-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(...args: string[]) {
  const command = join(ROOT, "packages/aftercommit/cli/sequin.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", tsx, command, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

it("writes sequin.yaml once, and with --check only says what it would change", () => {
  writeFileSync(
    join(folder, "aftercommit.config.ts"),
    `import { defineDeletion } from ${JSON.stringify(join(ROOT, "packages/aftercommit/src/define.ts"))};
     export const users = defineDeletion({ row: "user", table: "public.users", key: "id" });`,
  );
  const check = run("--check");
  expect(check.status).toBe(1);
  expect(check.stdout).toContain("+ sink users-deletion");
  expect(check.stderr).toContain("sequin.yaml does not fit aftercommit.config.ts: npx aftercommit sequin");
  expect(run().status).toBe(0);
  expect(readFileSync(join(folder, "sequin.yaml"), "utf8")).toContain("/api/delete-user");
  expect(run("--check")).toEqual({
    status: 0,
    stdout: "sequin.yaml fits aftercommit.config.ts.\n",
    stderr: "",
  });
});

it("writes nothing for declarations that are not from Sequin", () => {
  writeFileSync(
    join(folder, "aftercommit.config.ts"),
    `import { defineDeletion } from ${JSON.stringify(join(ROOT, "packages/aftercommit/src/define.ts"))};
     export const users = defineDeletion({ row: "user", table: "users", key: "id", from: "capture" });`,
  );
  const stdout = "No declaration is from Sequin: there is nothing to write.\n";
  expect(run()).toEqual({ status: 0, stdout, stderr: "" });
  expect(existsSync(join(folder, "sequin.yaml"))).toBe(false);
});

it("says what is missing in a folder without declarations", () => {
  const { status, stderr } = run();
  expect(status).toBe(1);
  expect(stderr).toContain(`There is no aftercommit.config.ts in ${folder}`);
});
