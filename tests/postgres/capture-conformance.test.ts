import { sql } from "drizzle-orm";
import { Client } from "pg";
import { afterAll, beforeAll } from "vitest";
import * as config from "../../aftercommit.config.ts";
import { capture } from "../../packages/aftercommit/src/capture/capture.ts";
import { lastingFeed } from "../../packages/aftercommit/src/capture/lasting-feed.ts";
import { declarationsOf } from "../../packages/aftercommit/src/declare/declarations.ts";
import { required } from "../../packages/aftercommit/src/env/env.ts";
import { itConforms } from "../helpers/sources/conformance.ts";
import { runEvents } from "../helpers/sources/run-events.ts";
import { until } from "../helpers/until.ts";

const SLOT = "conformance";
const WHOLE_LOG = "the log has every change in its order, and nothing invalid";

const database = itConforms({
  name: "capture",
  without: {
    "changes that come in reverse": WHOLE_LOG,
    "invalid messages among changes": WHOLE_LOG,
    "the rows of a snapshot": "reconcile reads the tables instead",
  },
  async deliver(given) {
    await startSlot();
    for (let time = 1; time <= (given.times ?? 1); time += 1) {
      // A copy of the slot delivers everything again.
      if (time < (given.times ?? 1)) await copySlot(time);
    }
    await runEvents(client, given);
    for (const slot of await slots()) await captureAll(slot);
  },
});

let client: Client;
const slots = async () =>
  (
    await database.db.execute<{ name: string }>(
      sql`select slot_name as name from pg_replication_slots where database = current_database()`,
    )
  ).rows.map(({ name }) => name);

/** A new slot, with a publication. */
async function startSlot(): Promise<void> {
  for (const slot of await slots()) await client.query("select pg_drop_replication_slot($1)", [slot]);
  await client.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [SLOT]);
}
const copySlot = (n: number) =>
  client.query("select pg_copy_logical_replication_slot($1, $2)", [SLOT, `${SLOT}_${n}`]);

/** Captures from a slot until it has confirmed everything. */
async function captureAll(slot: string): Promise<void> {
  const stop = new AbortController();
  const { rows } = await client.query("select pg_current_wal_lsn()::text as lsn");
  const { db } = database;
  const declarations = declarationsOf(config);
  const captured = capture({
    db,
    url: required("DATABASE_URL"),
    declarations,
    feed: lastingFeed({ db, declarations, slot }),
    stopped: stop.signal,
  });
  const isConfirmed = async () =>
    (
      await client.query(
        "select confirmed_flush_lsn >= $2 as done from pg_replication_slots where slot_name = $1",
        [slot, rows[0].lsn],
      )
    ).rows[0].done;
  await until(isConfirmed, { what: "confirmation" });
  stop.abort();
  await captured;
  // The server notices a moment later.
  const isFree = "select not active as free from pg_replication_slots where slot_name = $1";
  await until(async () => (await client.query(isFree, [slot])).rows[0].free, { what: "free slot" });
}

beforeAll(async () => {
  client = new Client({ connectionString: required("DATABASE_URL") });
  await client.connect();
  await client.query("create table notes (id bigint primary key, body text)");
  await client.query("create publication aftercommit for table posts, users");
  // Nothing is compared, so that the inbox has only what was captured.
  await client.query("update aftercommit.sources set reconciled_at = now(), fully_reconciled_at = now()");
});
afterAll(async () => {
  for (const slot of await slots()) await client.query("select pg_drop_replication_slot($1)", [slot]);
  await client.end();
});
