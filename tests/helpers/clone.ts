import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

function linkTree(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [`${from}/${entry.name}`, `${to}/${entry.name}`];
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (entry.isDirectory()) linkTree(source, target);
    else linkSync(source, target);
  }
}

/** Hard links to the installed packages. */
export function linkPackages(folder: string): void {
  const [from, to] = [join(ROOT, "node_modules"), join(folder, "node_modules")];
  try {
    linkTree(from, to);
  } catch {
    // On another file system: hard links cannot reach it.
    cpSync(from, to, { recursive: true, force: true });
  }
}

/**
 * Copies the repository's files, as in a clone, into a new temporary folder, with hard links to the installed packages.
 * A copy, because Next.js and Trigger.dev's CLI allow one `dev` per folder, and a developer's may be running.
 */
export function cloneProject(): string {
  const folder = mkdtempSync(join(tmpdir(), "aftercommit-stack-"));
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
  });
  for (const file of files
    .toString()
    .split("\0")
    .filter((file) => file && existsSync(join(ROOT, file)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file), { recursive: true });
  }
  linkPackages(folder);
  return folder;
}
