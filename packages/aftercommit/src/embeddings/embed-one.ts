import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { accept } from "../inbox/accept.ts";
import { leaseRow } from "../inbox/lease.ts";
import { readModelsInUse } from "../models/models.ts";
import { FailedTextError } from "../providers/errors.ts";
import { type EmbeddingSource, type Queries, sourceOf } from "../source.ts";
import { deferralOf } from "./defer-model.ts";
import { embedLease } from "./embed-lease.ts";
import type { RowStatus } from "./embed-result.ts";

export type EmbedOneResult = {
  /** `leased`: another worker has the row, and will see the newest text. */
  status: Exclude<RowStatus, "failed"> | "leased";
  /** Vectors that this run wrote; 0 for a row without text. */
  chunks: number;
  /** Tokens that the provider charged for this run. */
  tokens: number;
};

// A commit is delivered when it is flushed, and visible milliseconds later. With a long transaction open, it takes
// longer to be certain: the drain handles that.
const SETTLES_MS = 2_000;
const POLL_MS = 50;

/**
 * Whether the row is in the inbox and has not failed. A run for a failed row was started by someone who wants it tried
 * now.
 */
async function isWaiting(db: Queries, { name }: EmbeddingSource, rowId: string): Promise<boolean> {
  const { rows } = await db.execute(
    sql`select from aftercommit.pending where source = ${name} and row_id = ${rowId}
      and (error is null or lease is not null)`,
  );
  return rows.length > 0;
}

/**
 * Updates the vectors of one row to its current text, after an edit. If someone starts a run by hand and the row is not
 * in the inbox, it is put there first. Rejects with FailedTextError if the row cannot be read or the provider makes no
 * vectors for its text, and otherwise like {@link embedLease}.
 */
export async function embedOne(
  declaration: EmbeddingDeclaration,
  rowId: string,
  { db }: { db: Database },
): Promise<EmbedOneResult> {
  const source = await sourceOf(db, declaration);
  if (!(await isWaiting(db, source, rowId)))
    await accept(db, source.name, [{ rowId, queue: "realtime", changedAt: null }]);
  const done: EmbedOneResult = { status: "leased", chunks: 0, tokens: 0 };
  let failure: string | undefined;
  // Repeats until nothing is due: the run of a change that arrived in the meantime found the row leased, and ended.
  for (const deadline = Date.now() + SETTLES_MS; ; ) {
    const lease = await leaseRow(db, source.name, rowId);
    if (lease.entries.length > 0) {
      const result = await embedLease({ db, source, priority: true, builds: false }, lease);
      const status = result.statuses.get(rowId) ?? "leased";
      done.chunks += result.chunks;
      done.tokens += result.tokens;
      failure = result.failures.get(rowId);
      const isNews = done.status !== "embedded" || status === "deleted" || status === "unsettled";
      // An uncertain read was written, and the next read finds it unchanged.
      if (status === "unchanged" && done.chunks > 0) done.status = "embedded";
      else if (isNews && status !== "failed") done.status = status;
      if (status === "waiting") return done;
    } else if (failure !== undefined) throw new FailedTextError(failure);
    else if (done.status === "leased") {
      // The row waits for the end of a pause, and this run waits with it.
      const paused = deferralOf((await readModelsInUse(db)).active);
      if (paused) throw paused.error;
      return done;
    } else if (done.status !== "unsettled" || Date.now() > deadline) return done;
    else await sleep(POLL_MS);
  }
}
