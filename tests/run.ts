// `npm test`: runs every suite and ends with one line of totals. Arguments go to Vitest: npm test -- src/search
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
const args = ["run", "--reporter=default", "--reporter=./tests/totals.ts", ...process.argv.slice(2)];
process.exitCode = spawnSync(process.execPath, [vitest, ...args], { stdio: "inherit" }).status ?? 1;
