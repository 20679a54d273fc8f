// npm run reconcile [-- --dry-run] [-- --post ID]: embeds what is missing, stale or damaged, through the bulk lane.

import { parseArgs } from "node:util";
import { database } from "../lib/database.ts";
import { modelsInUse } from "../lib/embeddings/models-in-use.ts";
import { posts } from "../lib/embeddings/posts.ts";
import { reconcile } from "../lib/embeddings/reconcile.ts";
import { rowsLeft } from "../lib/embeddings/reembed.ts";
import { textsBehind } from "../lib/embeddings/rows-behind.ts";
import { sources } from "../lib/embeddings/sources.ts";
import { bulkRunsUnderWay } from "../lib/runs/trigger-bulk.ts";
import { triggerRun } from "../lib/runs/trigger-run.ts";
import { command, pause, progress } from "./command.ts";

const PATIENCE_MS = 30_000;

async function embedOne(id: string): Promise<void> {
  if (!/^-?\d{1,19}$/.test(id)) throw new Error("--post takes the id of a post");
  const runId = await triggerRun(
    {
      task: posts.live.task,
      payload: posts.live.payload(id, null),
      tags: [posts.tagOf(id)],
      idempotencyKey: `npm-run-reconcile:${id}:${Date.now()}`,
    },
    Date.now() + PATIENCE_MS,
  );
  process.stdout.write(`Triggered ${runId} for post ${id}.\n`);
}

async function reconcileAll(dryRun: boolean): Promise<void> {
  const { active } = await modelsInUse(database());
  const before = await rowsLeft(sources, active);
  process.stdout.write(
    `${before.behind} of ${before.all} rows are not embedded by ${active.name} as they are now.\n`,
  );
  if (dryRun || before.behind === 0) return;
  const key = `npm-run-reconcile:${Date.now()}`;
  for (const source of sources) {
    const { runs, rows, busy } = await reconcile(source, key);
    process.stdout.write(
      busy
        ? `${source.of.name}: runs of ${source.bulk.task} are under way already; waiting for them.\n`
        : `${source.of.name}: triggered ${runs} runs for ${rows} rows.\n`,
    );
  }
  const bar = progress("embedded");
  for (;;) {
    const startedAt = Date.now();
    // Asked first: what ends meanwhile is then seen in the rows.
    const underWay = await Promise.all(sources.map(bulkRunsUnderWay));
    const { behind } = await rowsLeft(sources, active);
    bar.show(Math.max(0, before.behind - behind), before.behind);
    if (behind === 0 || underWay.every((runs) => runs === 0)) break;
    await pause(startedAt);
  }
  bar.end();
  const left = await textsBehind(sources, active);
  if (left.size === 0) return;
  await pause(Date.now());
  // What has changed or been embedded since was an edit, with a run of its own.
  const texts = await textsBehind(sources, active);
  if (![...texts].some((text) => left.has(text))) return;
  const { behind } = await rowsLeft(sources, active);
  throw new Error(`${behind} rows are left: see the failed runs in Trigger.dev and the status page for why.`);
}

await command(async () => {
  const { values } = parseArgs({
    options: { "dry-run": { type: "boolean", default: false }, post: { type: "string" } },
  });
  if (values.post !== undefined) await embedOne(values.post);
  else await reconcileAll(values["dry-run"]);
});
