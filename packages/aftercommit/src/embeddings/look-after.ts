import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { quoted } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { embeddingTaskIds } from "../declare/names.ts";
import { rootMessageOf } from "../errors.ts";
import { isAnythingDue } from "../inbox/drains.ts";
import { stampAgainElsewhere } from "../inbox/stamp-again.ts";
import { wake } from "../inbox/wake.ts";
import { log } from "../log.ts";
import { readModelsInUse } from "../models/models.ts";
import { needsVectorIndex } from "../models/vector-index.ts";
import { triggerRun } from "../runs/trigger-run.ts";
import { type EmbeddingSource, type Queries, sourceOf } from "../source.ts";
import { type Reconciliation, reconcile } from "./reconcile.ts";

const DEADLINE_MS = 30_000;
// In a long pass, as often as by the schedule.
const WAKE_EVERY_MS = 60_000;

/** Claims the reconciliation that is due: every ten minutes, and a full one once a day. Null if none is. */
async function claimReconciliation(
  db: Queries,
  { name }: EmbeddingSource,
): Promise<{ full: boolean } | null> {
  const { rows } = await db.execute<{ full: boolean }>(sql`
    update aftercommit.sources set reconciled_at = now()
    where name = ${name} and (reconciled_at is null or reconciled_at < now() - interval '10 minutes')
    returning coalesce(fully_reconciled_at < now() - interval '1 day', true) as full`);
  return rows[0] ?? null;
}

/** A table that was swapped by renaming has other rows: they are compared one by one, and someone must know. */
async function noticeSwap(db: Queries, { name, declaration }: EmbeddingSource): Promise<void> {
  const { rows } = await db.execute(sql`
    update aftercommit.sources s set table_oid = c.oid, reconciled_at = null, fully_reconciled_at = null
    from (select to_regclass(${quoted(declaration.table)})::oid as oid) c
    where s.name = ${name} and c.oid is not null and s.table_oid <> c.oid returning 1`);
  if (rows.length > 0)
    log("error", "source.table_replaced", { source: name, table: quoted(declaration.table) });
}

type Due = { full: boolean; onProgress: () => Promise<void> };

/** Reconciles what is due. If a full pass fails, the other one finds at least the rows without vectors. */
async function reconcileDue(
  db: Database,
  source: EmbeddingSource,
  { full, onProgress }: Due,
): Promise<Reconciliation> {
  try {
    return await reconcile(db, source, { full, slowly: full, onProgress });
  } catch (error) {
    if (!full) throw error;
    log("error", "reconcile.failed", { source: source.name, error: rootMessageOf(error) });
    return reconcile(db, source, { onProgress });
  }
}

/**
 * What the schedule does for an embedded table. It wakes the drain if entries are due and no run has them, after an
 * orphaned or canceled run, a dead worker, or a day without Trigger.dev. It reconciles, and has the vector index built.
 */
export async function lookAfter(declaration: EmbeddingDeclaration, { db }: { db: Database }) {
  const source = await sourceOf(db, declaration);
  if (await stampAgainElsewhere(db, source.name)) log("warn", "inbox.stamped_again", { source: source.name });
  await noticeSwap(db, source);
  let woken = false;
  let triedAt = 0;
  const wakeIfDue = async () => {
    if (!(await isAnythingDue(db, source.name))) return;
    triedAt = Date.now();
    if ((await wake(db, declaration)) === "woken") woken = true;
  };
  const wakeAgain = async () => {
    if (Date.now() - triedAt >= WAKE_EVERY_MS) await wakeIfDue();
  };
  await wakeIfDue();
  const due = await claimReconciliation(db, source);
  // A full pass may take hours: the rows that are due do not wait for its end.
  const reconciled = due && (await reconcileDue(db, source, { ...due, onProgress: wakeAgain }));
  await wakeIfDue();
  const { active } = await readModelsInUse(db);
  const indexed = await needsVectorIndex(db, declaration.embeddings, active);
  if (indexed) {
    const task = embeddingTaskIds(declaration).index;
    const once = { idempotencyKey: `${task}:${active.id}`, idempotencyKeyTTL: "1h" };
    await triggerRun({ task, payload: {}, tags: [], ...once }, Date.now() + DEADLINE_MS);
  }
  return { reconciled, woken, indexed };
}
