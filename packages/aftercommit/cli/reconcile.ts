// npx aftercommit reconcile: puts rows without vectors, and vectors without rows, into the inbox; with --full, also rows
// whose vectors are of another text. --dry-run only estimates the cost.
import { parseArgs } from "node:util";
import { type Estimate, estimate } from "../src/embeddings/estimate.ts";
import { type Reconciliation, reconcile } from "../src/embeddings/reconcile.ts";
import { accept } from "../src/inbox/accept.ts";
import { canonicalKey } from "../src/ingress/row-id.ts";
import { command, progress } from "./command.ts";
import { embeddingSources } from "./embedding-sources.ts";
import { waitForInbox } from "./wait-for-inbox.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

function duration(minutes: number): string {
  if (minutes < 1) return "under a minute";
  return minutes < 120 ? `${whole.format(Math.ceil(minutes))} min` : `${(minutes / 60).toFixed(1)} h`;
}

function printEstimate({ model, sampled, tokens, calls, cost, minutes }: Estimate): void {
  const price = cost === undefined ? "unknown for this model" : `$${cost.toFixed(2)}`;
  say(`  to embed by ${model}, estimated from ${whole.format(sampled)} rows:`);
  say(`  tokens  ${whole.format(tokens)}\n  calls   ${whole.format(calls)}\n  cost    ${price}`);
  for (const [tier, time] of Object.entries(minutes)) say(`  ${tier}  ${duration(time)}`);
}

function print(table: string, { missing, orphaned, stopped }: Reconciliation, full: boolean): void {
  const what = full ? "missing or out of date" : "missing";
  say(`${table}: ${whole.format(missing)} rows ${what}, ${whole.format(orphaned)} rows' vectors to remove`);
  if (stopped)
    say(
      `  That is more than a tenth of all vectors: nothing is removed. Is the table complete? Then: npx aftercommit reconcile --remove-many`,
    );
}

await command(async () => {
  const { values } = parseArgs({
    options: {
      full: { type: "boolean", default: false },
      table: { type: "string" },
      row: { type: "string" },
      "dry-run": { type: "boolean", default: false },
      "remove-many": { type: "boolean", default: false },
    },
  });
  const { full, row, "dry-run": dryRun, "remove-many": removeMany } = values;
  const { db, sources } = await embeddingSources(values.table);
  const [only, ...others] = sources;
  if (row !== undefined) {
    if (!only || others.length > 0)
      throw new Error("--row needs --table beside it, as there are several tables");
    const rowId = canonicalKey(row, only.keyType, "--row");
    await accept(db, only.name, [{ rowId, queue: "realtime", changedAt: null }]);
  } else
    for (const source of sources) {
      const bar = progress(`${source.declaration.rows} compared`);
      let rows = 0;
      const onProgress = (more: number) => {
        rows += more;
        bar.show(rows, rows);
      };
      const found = await reconcile(db, source, { full, dryRun, removeMany, onProgress });
      bar.end();
      print(source.declaration.rows, found, full);
      if (dryRun && found.missing > 0) printEstimate(await estimate(db, source, found.missing));
    }
  if (dryRun) return;
  const { failed } = await waitForInbox(db, sources);
  if (failed > 0)
    throw new Error(
      `${failed} rows have failed, and are tried again by themselves: the status page has the reasons.`,
    );
});
