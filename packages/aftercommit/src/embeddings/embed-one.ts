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
  /** Tokens that the provider charged this run for. */
  tokens: number;
};

// A commit is delivered when it is flushed, and visible milliseconds later. Beside a long transaction it takes longer to
// be certain: the drain sees to that.
const SETTLES_MS = 2_000;
const POLL_MS = 50;

/** Whether the row waits in the inbox. One that has failed does not: whoever starts a run for it wants it tried now. */
async function isWaiting(db: Queries, { name }: EmbeddingSource, rowId: string): Promise<boolean> {
  const { rows } = await db.execute(
    sql`select from aftercommit.pending where source = ${name} and row_id = ${rowId}
      and (error is null or lease is not null)`,
  );
  return rows.length > 0;
}

/**
 * Brings the vectors of one row up to its present text: an edit. A run that somebody starts by hand puts a row that
 * does not wait in the inbox there first.
 * Rejects with FailedTextError when the provider makes no vectors of the text, else as {@link embedLease}.
 */
export async function embedOne(
  declaration: EmbeddingDeclaration,
  rowId: string,
  { db }: { db: Database },
): Promise<EmbedOneResult> {
  const source = await sourceOf(db, declaration);
  const { active } = await readModelsInUse(db);
  const paused = deferralOf(active);
  if (paused) throw paused.error;
  if (!(await isWaiting(db, source, rowId)))
    await accept(db, source.name, [{ rowId, queue: "realtime", changedAt: null }]);
  const done: EmbedOneResult = { status: "leased", chunks: 0, tokens: 0 };
  let failure: string | undefined;
  // Again until nothing is due: the run of a change that came in the meantime has found the row leased, and ended.
  for (const deadline = Date.now() + SETTLES_MS; ; ) {
    const lease = await leaseRow(db, source.name, rowId);
    if (lease.entries.length > 0) {
      const result = await embedLease({ db, source, priority: true, builds: false }, lease);
      const status = result.statuses.get(rowId) ?? "leased";
      done.chunks += result.chunks;
      done.tokens += result.tokens;
      failure = result.failures.get(rowId);
      const isNews = done.status !== "embedded" || status === "deleted" || status === "unsettled";
      // What a look was not certain of has been written, and is unchanged at the next one.
      if (status === "unchanged" && done.chunks > 0) done.status = "embedded";
      else if (isNews && status !== "failed") done.status = status;
      if (status === "waiting") return done;
    } else if (failure !== undefined) throw new FailedTextError(failure);
    else if (done.status !== "unsettled" || Date.now() > deadline) return done;
    else await sleep(POLL_MS);
  }
}
