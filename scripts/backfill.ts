// npm run backfill -- --estimate: what it takes to embed all that is missing or stale. npm run reconcile does it.
import { parseArgs } from "node:util";
import { type Estimate, estimateBackfill } from "../lib/embeddings/estimate.ts";
import { sources } from "../lib/embeddings/sources.ts";
import { command } from "./command.ts";

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

function duration(minutes: number): string {
  if (minutes < 1) return "under a minute";
  return minutes < 120 ? `${whole.format(Math.ceil(minutes))} min` : `${(minutes / 60).toFixed(1)} h`;
}

function print(name: string, { model, rows, sampled, tokens, calls, cost, minutes }: Estimate): void {
  const lines = [
    `${name}: ${whole.format(rows)} rows to embed by ${model}, estimated from ${whole.format(sampled)} of them`,
    `  tokens  ${whole.format(tokens)}`,
    `  calls   ${whole.format(calls)}`,
    `  cost    ${cost === undefined ? "unknown for this model" : `$${cost.toFixed(2)}`}`,
    ...Object.entries(minutes).map(([tier, time]) => `  ${tier}  ${duration(time)}`),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

await command(async () => {
  const { values } = parseArgs({ options: { estimate: { type: "boolean", default: false } } });
  if (!values.estimate)
    throw new Error("npm run backfill -- --estimate says what it takes; npm run reconcile does it");
  for (const source of sources) print(source.of.name, await estimateBackfill(source));
});
