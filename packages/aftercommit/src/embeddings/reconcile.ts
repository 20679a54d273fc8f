import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { type KeyWindow, WINDOW } from "../key-windows.ts";
import { log } from "../log.ts";
import { readModelsInUse } from "../models/models.ts";
import type { EmbeddingSource } from "../source.ts";
import { type Comparison, compareWindows } from "./compare-windows.ts";

export type Reconciliation = {
  /** Rows that lack vectors or words. With `full`, also those that have incomplete ones, or of another text. */
  missing: number;
  /** Rows that have vectors or words and should not: they do not exist, or `where` excludes them. */
  orphaned: number;
  /** True if there were so many orphaned rows that nothing was done about them. */
  stopped: boolean;
};

type Options = {
  /** Also compares the hashes of the texts, which reads every row. */
  full?: boolean;
  dryRun?: boolean;
  /** Removes vectors even if they are more than a tenth of all. */
  removeMany?: boolean;
  /** Pauses after each window for as long as it took, to keep the load low. */
  slowly?: boolean;
  onProgress?: (rows: number) => Promise<void> | void;
};

// If more than a tenth of the rows are orphaned, the table may have been emptied by mistake, and a person must confirm.
// A few rows never need that.
const MOST_ORPHANED_SHARE = 0.1;
const FEW_ORPHANED = 1_000;
// A full comparison hashes all texts of a window in one statement, which must end long before its timeout.
const FULL_WINDOW = 1_000;

/**
 * Finds rows without vectors or words, and vectors or words without rows, whatever the reason: lost messages,
 * `TRUNCATE`, an attached partition, deleted vectors. Only puts them into the inbox. Without `full`, it reads only the
 * indexes of the keys. Rejects if the database does not answer; what was found so far is kept.
 */
export async function reconcile(
  db: Database,
  source: EmbeddingSource,
  { full = false, dryRun = false, removeMany = false, slowly = false, onProgress }: Options = {},
): Promise<Reconciliation> {
  const { active, building } = await readModelsInUse(db);
  const models = building ? [active, building] : [active];
  const comparison: Comparison = { source, models, full, dryRun, enqueues: "missing" };
  const done: Reconciliation = { missing: 0, orphaned: 0, stopped: false };
  const orphanedIn: KeyWindow[] = [];
  let stored = 0;
  let startedAt = Date.now();
  const size = full ? FULL_WINDOW : WINDOW;
  await compareWindows(db, comparison, { size }, async (found, window) => {
    if (slowly) await sleep(Date.now() - startedAt);
    done.missing += found.enqueued;
    done.orphaned += found.orphaned;
    stored += found.stored;
    if (found.orphaned > 0) orphanedIn.push(window);
    await onProgress?.(found.rows);
    startedAt = Date.now();
  });
  done.stopped = done.orphaned > Math.max(FEW_ORPHANED, stored * MOST_ORPHANED_SHARE) && !removeMany;
  if (done.stopped) log("error", "reconcile.stopped", { source: source.name, orphaned: done.orphaned });
  else if (!dryRun)
    for (const window of orphanedIn)
      await compareWindows(db, { ...comparison, enqueues: "orphaned" }, { ...window, size });
  if (!dryRun)
    await db.execute(sql`update aftercommit.sources set reconciled_at = now(),
      fully_reconciled_at = case when ${full} then now() else fully_reconciled_at end where name = ${source.name}`);
  return done;
}
