// npm run pack: builds packages/aftercommit as JavaScript with its declarations, and packs it as npm publishes it.
// Prints the tarball's path.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const source = join(root, "packages/aftercommit");
const dist = join(source, "dist");

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", source], {
  stdio: "inherit",
});

const built = (path) => path.replace(/\.ts$/, ".js");
const manifest = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
manifest.exports = Object.fromEntries(
  Object.entries(manifest.exports).map(([name, path]) => [
    name,
    { types: path.replace(/\.ts$/, ".d.ts"), default: built(path) },
  ]),
);
writeFileSync(join(dist, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
mkdirSync(join(dist, "bin"));
writeFileSync(join(dist, "bin/aftercommit.mjs"), '#!/usr/bin/env node\nimport "../cli/aftercommit.js";\n', {
  mode: 0o755,
});
cpSync(join(source, "sql"), join(dist, "sql"), { recursive: true });
for (const file of ["README.md", "LICENSE"]) cpSync(join(root, file), join(dist, file));

const [packed] = JSON.parse(execFileSync("npm", ["pack", "--json"], { cwd: dist, encoding: "utf8" }));
console.log(join(dist, packed.filename));
