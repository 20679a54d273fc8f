// Runs a TypeScript entry of this repository, after installing the locked dependencies where they are missing or old:
//   node scripts/run.mjs dev/dev.ts [arguments]
// Plain JavaScript without imports of packages: it runs before anything is installed.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { installWhenNeeded } from "./install-when-needed.mjs";

const NEEDED = [20, 19];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  console.error(`Aftercommit needs Node.js ${NEEDED.join(".")} or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

const root = resolve(import.meta.dirname, "..");
process.chdir(root);
installWhenNeeded(root);

const entry = resolve(root, process.argv[2] ?? "");
process.argv.splice(1, 2, entry);
const { register } = await import("tsx/esm/api");
register();
await import(pathToFileURL(entry).href);
