// Adds to package-lock.json the optional packages of other platforms that `npm install` left out because its registry
// has no copy of them. Without their entries, `npm ci` rejects the lock file: run this after adding a package.
import { readFileSync, writeFileSync } from "node:fs";

const FILE = "package-lock.json";
const lock = JSON.parse(readFileSync(FILE, "utf8"));

const SYSTEMS = ["android", "darwin", "freebsd", "linux", "win32"];
const PROCESSORS = ["arm64", "x64", "arm", "ia32"];

function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = SYSTEMS.filter((system) => words.includes(system));
  const cpu = PROCESSORS.filter((processor) => words.includes(processor));
  const libc = os[0] === "linux" ? [words.includes("musl") ? "musl" : "glibc"] : undefined;
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`${name}: which platform is it for?`);
  return { os, cpu, ...(libc ? { libc } : {}) };
}

const added = {};
for (const { version, dev, license, optionalDependencies = {} } of Object.values(lock.packages))
  for (const [name, wanted] of Object.entries(optionalDependencies)) {
    const path = `node_modules/${name}`;
    if (Object.keys(lock.packages).some((known) => known === path || known.endsWith(`/${path}`))) continue;
    if (wanted !== version) throw new Error(`${name}@${wanted} is not of its parent's version ${version}`);
    added[path] = { version, ...platformOf(name), ...(dev ? { dev } : {}), license, optional: true };
  }

lock.packages = Object.fromEntries(
  Object.entries({ ...lock.packages, ...added }).sort(([a], [b]) => (a < b ? -1 : 1)),
);
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
for (const path of Object.keys(added)) console.log(`added ${path}`);
