// `npm run bench`: runs every benchmark, or those named, one after another: npm run bench -- trigger embedding
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";

const all = readdirSync(import.meta.dirname)
  .map((file) => basename(file, ".ts"))
  .filter((name) => name !== "run")
  .sort();
const named = process.argv.slice(2);
const unknown = named.find((name) => !all.includes(name));
if (unknown) {
  console.error(`There is no benchmark "${unknown}"; there are ${all.join(", ")}.`);
  process.exit(1);
}

for (const name of named.length > 0 ? named : all) {
  console.log(`\n${name}`);
  const file = join(import.meta.dirname, `${name}.ts`);
  const { status } = spawnSync(process.execPath, ["--import", "tsx", file], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
