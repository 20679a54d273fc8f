import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import type { Declaration } from "../declare/declaration.ts";
import { embeddingsOf } from "../declare/declarations.ts";
import { reconcile } from "../embeddings/reconcile.ts";
import { rootCodeOf, rootMessageOf } from "../errors.ts";
import { wake } from "../inbox/wake.ts";
import { log } from "../log.ts";
import { sourceOf } from "../source.ts";
import { CaptureError } from "./errors.ts";
import { createSlot, dropSlot, ensurePublication, PUBLICATION, readSlot, type Slot } from "./slot.ts";
import { storeFor } from "./store.ts";
import { streamChanges } from "./stream.ts";

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
// How often a second process looks whether the first one still reads the slot.
const STANDBY_MS = 2_000;
// object_in_use: another process reads the slot.
const ACTIVE_ELSEWHERE = "55006";

type Options = {
  db: Database;
  /** The address for replication, which no pooler answers. */
  url: string;
  declarations: readonly Declaration[];
  slot: string;
  stopped: AbortSignal;
};

const LOST =
  "Changes since then are found by comparing rows. Deletions since then may be missing: compare your own list of deleted rows with npx aftercommit deletions export";

/** Has every embedded table compared: here or, if this process ends before, by the next one or the schedule. */
async function requestReconciliation({ db, declarations }: Options, full: boolean): Promise<void> {
  const names = sql.param(embeddingsOf(declarations).map(({ row }) => row));
  await db.execute(sql`update aftercommit.sources set reconciled_at = null,
    fully_reconciled_at = case when ${full} then null else coalesce(fully_reconciled_at, now()) end
    where name = any(${names}::text[])`);
}

/** Puts the rows of each table that has to be compared into the inbox. */
async function fillInbox({ db, declarations }: Options): Promise<void> {
  const { rows } = await db.execute<{ name: string; full: boolean }>(sql`
    select name, fully_reconciled_at is null as full from aftercommit.sources where reconciled_at is null`);
  for (const { name, full } of rows) {
    const declaration = embeddingsOf(declarations).find(({ row }) => row === name);
    if (!declaration) continue;
    const { missing, orphaned } = await reconcile(db, await sourceOf(db, declaration), { full });
    log("info", "capture.reconciled", { source: name, full, missing, orphaned });
    if (missing + orphaned > 0) await wake(db, declaration);
  }
}

/**
 * The slot, created where there is none, and again where its WAL is gone. The rows of a new slot's tables are compared,
 * because it has no change from before.
 */
async function ensureSlot(options: Options): Promise<Slot> {
  const { db, slot: name, declarations } = options;
  const wasSetUp = await ensurePublication(db, declarations);
  const found = await readSlot(db, name);
  if (found && !found.isLost) {
    const { rows } = await db.execute<{ name: string }>(sql`select current_database() as name`);
    if (found.database !== rows[0]?.name || found.plugin !== "pgoutput")
      throw new CaptureError(`The slot ${name} is of ${found.database} and ${found.plugin}: use --slot`);
    return found;
  }
  if (found) {
    log("error", "capture.slot_lost", { slot: name, confirmed: found.confirmed, problem: LOST });
    await dropSlot(db, name);
  } else if (wasSetUp) log("error", "capture.slot_missing", { slot: name, problem: LOST });
  await requestReconciliation(options, wasSetUp);
  await createSlot(db, name);
  const created = await readSlot(db, name);
  if (!created) throw new Error(`The slot ${name} is not there`);
  return created;
}

/**
 * Reads the database's changes until `stopped`, stores what they ask for and triggers the runs. While another process
 * reads the slot, this one waits. Rejects only if it cannot begin: with CaptureError or SourceError, or when the
 * database does not answer.
 */
export async function capture(options: Options): Promise<void> {
  const { db, url, declarations, slot: name, stopped } = options;
  for (const declaration of declarations) await sourceOf(db, declaration);
  const store = storeFor(declarations);
  let slot: Slot | undefined = await ensureSlot(options);
  await fillInbox(options);
  let [waitMs, isStandby] = [FIRST_RETRY_MS, false];
  const onStart = () => {
    [waitMs, isStandby] = [FIRST_RETRY_MS, false];
    log("info", "capture.started", { slot: name, confirmed: slot?.confirmed });
  };
  while (!stopped.aborted) {
    try {
      if (!slot) {
        slot = await ensureSlot(options);
        await fillInbox(options);
      }
      const { confirmed } = slot;
      await streamChanges({ url, slot: name, publication: PUBLICATION, confirmed, store, stopped, onStart });
    } catch (error) {
      slot = undefined;
      if (rootCodeOf(error) === ACTIVE_ELSEWHERE) {
        if (!isStandby) log("info", "capture.standby", { slot: name });
        isStandby = true;
      } else log("warn", "capture.interrupted", { slot: name, error: rootMessageOf(error) });
      await sleep(isStandby ? STANDBY_MS : waitMs, undefined, { signal: stopped }).catch(() => {});
      waitMs = Math.min(2 * waitMs, LAST_RETRY_MS);
    }
  }
  log("info", "capture.stopped", { slot: name });
}
