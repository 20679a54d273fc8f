import type { Database } from "../../drizzle/client.ts";
import { countRows } from "../../drizzle/queries/embeddings/counts.ts";
import { forgetFailuresOfGoneRows } from "../../drizzle/queries/embeddings/failures.ts";
import { database } from "../database.ts";
import { bulkRunsUnderWay, triggerBulk } from "../runs/trigger-bulk.ts";
import type { EmbeddedSource } from "./embedded-source.ts";
import { modelsInUse } from "./models-in-use.ts";
import { rowsBehind } from "./rows-behind.ts";

// Lists in one request to Trigger.dev, which takes 1,000.
const LISTS_A_REQUEST = 100;

export type Reconciliation = {
  /** Rows whose vectors were missing or of another text, and runs triggered for them. */
  rows: number;
  runs: number;
  /** True when runs of the bulk lane were under way: what they work on is not triggered again. */
  busy: boolean;
};

/**
 * Triggers bulk runs for all rows whose vectors are missing, stale or damaged, whatever the reason: a run that was
 * cancelled or lost, rows older than the sink, a refused text whose time has come. Nothing is triggered while runs of
 * the bulk lane are under way, since these may be about the same rows.
 * Rejects when the database or Trigger.dev does not answer; what was triggered until then is worked on.
 */
export async function reconcile(
  source: EmbeddedSource,
  key: string,
  { db = database() }: { db?: Database } = {},
): Promise<Reconciliation> {
  await forgetFailuresOfGoneRows(db, source.of);
  if ((await bulkRunsUnderWay(source)) > 0) return { rows: 0, runs: 0, busy: true };
  let [rows, runs] = [0, 0];
  let lists: string[][] = [];
  const flush = async () => {
    runs += await triggerBulk(source, lists, (list) => [key, source.of.name, list[0] ?? ""]);
    lists = [];
  };
  for await (const ids of rowsBehind(source, db)) {
    rows += ids.length;
    lists.push(ids);
    if (lists.length === LISTS_A_REQUEST) await flush();
  }
  await flush();
  const { active } = await modelsInUse(db);
  await countRows(db, source.of, active.id);
  return { rows, runs, busy: false };
}
