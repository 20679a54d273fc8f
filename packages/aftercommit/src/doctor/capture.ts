import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { bytesBehind } from "../capture/lag.ts";
import { spelled } from "../catalog/problem.ts";
import type { Database } from "../db/client.ts";
import { addToPublicationSql, publicationSql, publishViaRootSql } from "../sequin-config/publication.ts";
import { wantedSink } from "../sequin-config/sinks.ts";
import { type Facts, readFacts } from "./capture-facts.ts";
import { type Category, failed, last, ok, okUnless, skipped, warning } from "./finding.ts";
import { walOutcome } from "./wal-level.ts";

const MB = 1024 * 1024;
const MOST_RETAINED_MB = 256;
const LATE_MS = 3_000;
const POLL_MS = 50;

const LOGICAL =
  "alter system set wal_level = 'logical', then restart PostgreSQL (a hosted one: in its settings)";
const LAGGING = {
  Sequin: "Sequin's console says which sink does not deliver, the app's log why. Nothing is lost yet",
  "npx aftercommit capture": "Its log says what it waits for. Nothing is lost yet",
};
// A deleted row leaves nothing behind to find it by.
const CATCH_UP =
  "Then start Sequin again, and run npx aftercommit reconcile --full for the rows that changed meanwhile. Deletions made meanwhile may be lost: docs/troubleshooting.md, 'The slot is lost'";

/** How far the reader of a slot is behind: how long it takes to confirm the present position, and the bytes to it. */
async function measureLag(db: Database, slot: string): Promise<{ isLate: boolean; text: string }> {
  const bytes = (await bytesBehind(db, slot)) ?? 0;
  const { rows } = await db.execute<{ lsn: string }>(sql`select pg_current_wal_flush_lsn()::text as lsn`);
  const isThere = sql`select from pg_replication_slots
    where slot_name = ${slot} and confirmed_flush_lsn >= ${rows[0]?.lsn}::pg_lsn`;
  const startedAt = Date.now();
  const passed = () => Date.now() - startedAt;
  let isLate = false;
  while (!isLate && (await db.execute(isThere)).rows.length === 0) {
    await sleep(POLL_MS);
    isLate = passed() > LATE_MS;
  }
  const seconds = `${isLate ? "more than " : ""}${(passed() / 1_000).toFixed(1)} s`;
  return { isLate, text: `${seconds} and ${(bytes / MB).toFixed(1)} MB behind` };
}

/** Whether the database passes every change to Sequin, or to `npx aftercommit capture`. */
export const replication: Category = async function* ({ check, declarations: all, server }) {
  let facts: Facts | undefined;
  yield check("capture.wal", LOGICAL, async () => {
    if (!all.some(({ from }) => from === "sequin" || from === "capture"))
      return last(skipped("no declaration is from Sequin or capture"));
    facts = await readFacts((await server()).db, all);
    if (facts.emulator !== null) return last(skipped(facts.emulator));
    return walOutcome(facts);
  });
  if (!facts) return;

  const { slot, publication, names, declarations } = facts;
  const tables = declarations.map(({ table }) => table);
  yield check("capture.publication", publicationSql(declarations, names.publication), async () => {
    if (!publication) return failed(`there is no publication ${names.publication}`);
    const missing = tables.filter((table) => !publication.tables.includes(spelled(table)));
    const { split } = publication;
    if (split.length > 0)
      return failed(`it has ${split} under its partitions' names`, publishViaRootSql(names.publication));
    const add = addToPublicationSql(missing, names.publication);
    if (missing.length > 0) return failed(`it lacks ${missing.map(spelled)}`, add);
    const actions = new Set(declarations.flatMap((declaration) => wantedSink(declaration).actions));
    const lacking = [...actions].filter((action) => !publication.actions.includes(action));
    const set = `alter publication ${names.publication} set (publish = 'insert, update, delete')`;
    return okUnless(
      lacking.map((action) => `it does not publish ${action}`),
      `${publication.tables}`,
      set,
    );
  });

  const start = `Start ${names.reader}; its log says why it does not connect`;
  // Capture replaces a slot that lost its WAL, and compares all rows.
  const isOwn = names.reader !== "Sequin";
  const create = `select pg_create_logical_replication_slot('${names.slot}', 'pgoutput'). ${CATCH_UP}`;
  const recreate = isOwn ? start : `select pg_drop_replication_slot('${names.slot}'); ${create}`;
  yield check("capture.slot", recreate, async () => {
    if (!slot) return failed(`there is no slot ${names.slot}: nothing is captured`, create);
    if (!slot.isHere) return failed("it belongs to another database", "Rename the slot in sequin.yaml");
    if (slot.plugin !== "pgoutput") return failed(`it has the plugin ${slot.plugin}`);
    if (slot.state === "lost") return failed("it fell behind max_slot_wal_keep_size: its WAL is lost");
    const retained = `${(slot.retained / MB).toFixed(1)} MB of WAL retained`;
    // Decoding fails if the WAL is older than the publication. Altering a publication does not change its age.
    const isYounger = publication !== null && publication.age <= slot.age;
    const fix = isYounger ? `${start}. If the publication does not exist for it: ${recreate}` : start;
    if (!slot.active) return failed(`nothing reads it, ${retained}`, fix);
    // How late Sequin confirms says nothing: it does so every few seconds.
    const lag = isOwn ? await measureLag((await server()).db, names.slot) : undefined;
    const actual = `${lag?.text ?? "active"}, ${retained}`;
    return lag?.isLate || slot.retained > MOST_RETAINED_MB * MB
      ? warning(actual, LAGGING[names.reader])
      : ok(actual);
  });
};
