// npm run bench [-- NAME …] [--quick] [--json]: runs all benchmarks, or the named ones, and prints one table.
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Benchmark, benchmarks } from "./benchmarks.ts";
import { openServer } from "./parts/server.ts";
import { createReport, type Figure, table, write } from "./report.ts";

const FILE = join(import.meta.dirname, "results.json");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});
const unknown = positionals.find((name) => !(name in benchmarks));
if (unknown !== undefined) {
  console.error(`There is no benchmark "${unknown}"; there are ${Object.keys(benchmarks).join(", ")}.`);
  process.exit(1);
}

const { quick, json } = values;
const chosen = Object.entries(benchmarks).filter(([name, { inQuick }]) =>
  positionals.length > 0 ? positionals.includes(name) : inQuick || !quick,
);
const server = await openServer();
const figures: Figure[] = [];
const failed: { benchmark: string; error: string }[] = [];

async function run(name: string, { load }: Benchmark): Promise<void> {
  const report = createReport(name, figures);
  const started = performance.now();
  report.progress("starts");
  try {
    await (await load()).run({ ...report, server, quick });
    report.progress(`took ${((performance.now() - started) / 1_000).toFixed(0)} s\n`);
  } catch (error) {
    failed.push({
      benchmark: name,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    report.progress(`failed: ${failed.at(-1)?.error}\n`);
  }
}

const machine = {
  cores: cpus().length,
  cpu: cpus()[0]?.model,
  node: process.version,
  loadAtStart: loadavg()[0],
};
const database = { kind: server.kind, version: server.version, pgvector: server.pgvector };
const at = new Date().toISOString();
for (const [name, benchmark] of chosen) {
  await run(name, benchmark);
  // After each benchmark, so that nothing is lost if a later one is interrupted.
  write({ at, quick, machine, database, figures, failed }, FILE);
}
if (json) process.stdout.write(readFileSync(FILE));
else process.stdout.write(`\n${table(figures)}\n`);
process.stderr.write(
  `\nOn ${server.kind} ${server.version} with pgvector ${server.pgvector}, ${machine.cores} cores, load ${machine.loadAtStart?.toFixed(1)} at the start.\n`,
);
process.exit(failed.length > 0 || figures.some(({ good }) => good === false) ? 1 : 0);
