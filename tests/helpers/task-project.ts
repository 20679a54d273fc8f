import { cp, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The product's tasks in a separate folder, with their variables: the CLI allows one `dev` per folder. */
export async function copyTasks(env: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tasks-"));
  for (const path of [
    "trigger",
    "packages",
    "aftercommit.config.ts",
    "trigger.config.ts",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
  ])
    await cp(path, join(folder, path), { recursive: true });
  await symlink(resolve("node_modules"), join(folder, "node_modules"));
  const lines = Object.entries(env).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  await writeFile(join(folder, ".env"), lines.join("\n"));
  return folder;
}
