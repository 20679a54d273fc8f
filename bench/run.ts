// npm run bench [-- NAME …] [--quick] [--json]: runs all benchmarks, or those named, and prints one table.
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Benchmark, benchmarks } from "./benchmarks.ts";
import { openServer } from "./parts/server.ts";
import { createReport, type Figure, print } from "./report.ts";

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

const load = loadavg()[0];
for (const [name, benchmark] of chosen) await run(name, benchmark);

const machine = { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version, loadAtStart: load };
const database = { kind: server.kind, version: server.version, pgvector: server.pgvector };
print(
  { at: new Date().toISOString(), quick, machine, database, figures, failed },
  { json, file: join(import.meta.dirname, "results.json") },
);
process.stderr.write(
  `\nOn ${server.kind} ${server.version} with pgvector ${server.pgvector}, ${machine.cores} cores, load ${load?.toFixed(1)} at the start.\n`,
);
process.exit(failed.length > 0 || figures.some(({ good }) => good === false) ? 1 : 0);
