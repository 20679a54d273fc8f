import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { tableSql } from "../db/identifiers.ts";
import type { Declaration } from "../declare/declaration.ts";
import { embeddingsOf } from "../declare/declarations.ts";
import { reconcile } from "../embeddings/reconcile.ts";
import { wake } from "../inbox/wake.ts";
import { log } from "../log.ts";
import { sourceOf } from "../source.ts";
import { CaptureError } from "./errors.ts";
import type { Feed } from "./feed.ts";
import { createSlot, dropSlot, ensurePublication, PUBLICATION, readSlot, type Slot } from "./slot.ts";

type Options = { db: Database; declarations: readonly Declaration[]; slot: string };

const LOST =
  "Changes since then are found by comparing rows. Deletions since then may be missing: docs/troubleshooting.md, The slot is lost, shows how to find them";

/** Has every embedded table compared: here or, if this process ends before, by the next one or the schedule. */
async function requestReconciliation({ db, declarations }: Options, full: boolean): Promise<void> {
  // Without vectors there is no text to compare. With some, migrate may have asked for a full comparison.
  for (const { row, embeddings } of embeddingsOf(declarations))
    await db.execute(sql`update aftercommit.sources set reconciled_at = null,
      fully_reconciled_at = case when ${full} then null
        when exists (select from ${tableSql(embeddings)}) then fully_reconciled_at else now() end
      where name = ${row}`);
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

/** A slot that keeps the changes while no process reads it. */
export const lastingFeed = (options: Options): Feed => ({
  slot: options.slot,
  publication: PUBLICATION,
  isTemporary: false,
  async open() {
    const { confirmed } = await ensureSlot(options);
    await fillInbox(options);
    return confirmed;
  },
  close: async () => {},
});
