import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { ROOT } from "@/tests/helpers/documents.ts";

const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

function run(...args: string[]) {
  const command = join(ROOT, "packages/aftercommit/cli/aftercommit.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", tsx, command, ...args], {
    cwd: tmpdir(),
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

it("shows the options of a command for --help, and does nothing", () => {
  const { status, stdout } = run("migrate", "--help");
  expect(stdout).toContain("Usage: aftercommit migrate [--print]\n");
  expect(status).toBe(0);
});

it.each(["migrate", "sequin"])("%s does nothing if an option is mistyped", (name) => {
  const { status, stderr } = run(name, "--prnit");
  expect(stderr).toContain("Unknown option '--prnit'");
  expect(status).toBe(1);
});
