import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const packagesOf = (file) => {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages ?? {};
  } catch {
    return undefined;
  }
};

/** True if a package of the lock file is missing from node_modules or has another version. */
function outOfDate(root) {
  const locked = packagesOf(join(root, "package-lock.json"));
  // npm writes this file at the end of an install, as the list of what it installed.
  const installed = packagesOf(join(root, "node_modules", ".package-lock.json"));
  if (!locked || !installed) return true;
  return Object.entries(locked).some(([path, wanted]) => {
    if (!path.startsWith("node_modules/") || wanted.optional || wanted.peer) return false;
    if (wanted.link) return installed[path]?.resolved !== wanted.resolved;
    return installed[path]?.version !== wanted.version;
  });
}

/** Installs the locked dependencies with `npm ci` if they are missing or out of date. Ends the process on failure. */
export function installWhenNeeded(root) {
  if (!outOfDate(root)) return;
  console.log("Installing the locked dependencies (npm ci) …");
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm, "ci"]] : ["npm", ["ci"]];
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status === 0) return;
  console.error(`npm ci failed${error ? `: ${error.message}` : ` with code ${status}`}.`);
  process.exit(1);
}
