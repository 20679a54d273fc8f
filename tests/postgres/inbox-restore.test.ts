import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect, type Database, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { drain } from "../../packages/aftercommit/src/embeddings/drain.ts";
import { lookAfter } from "../../packages/aftercommit/src/embeddings/look-after.ts";
import { accept } from "../../packages/aftercommit/src/inbox/accept.ts";
import { leaseRow } from "../../packages/aftercommit/src/inbox/lease.ts";
import { stampAgainElsewhere } from "../../packages/aftercommit/src/inbox/stamp-again.ts";
import { sourceOf } from "../../packages/aftercommit/src/source.ts";
import { pgDump } from "../helpers/foreign/pg-dump.ts";
import {
  createNotes,
  embeddedBy,
  faultsOf,
  notes,
  provider,
  startSession,
  workOff,
} from "../helpers/inbox/notes.ts";
import { type Cluster, startCluster, startStandby } from "../helpers/own-cluster.ts";
import { runOn } from "../helpers/real-postgres.ts";
import { startTriggerServer } from "../helpers/trigger-server.ts";
import { until } from "../helpers/until.ts";

const edit = (rowId: string) => [{ rowId, queue: "realtime", changedAt: null }] as const;
const update = (row: number, body: string) => `update notes set body = '${body}' where id = ${row}`;

let cluster: Cluster;
let other: Cluster;
let db: Database;
let trigger: Awaited<ReturnType<typeof startTriggerServer>>;

beforeAll(async () => {
  trigger = await startTriggerServer("tr_dev_tests");
  process.env.TRIGGER_API_URL = trigger.url;
  process.env.TRIGGER_SECRET_KEY = "tr_dev_tests";
});
afterAll(async () => {
  delete process.env.TRIGGER_API_URL;
  delete process.env.TRIGGER_SECRET_KEY;
  await trigger.close();
});
beforeEach(async () => {
  cluster = await startCluster();
  await createNotes(cluster.url);
  db = connect(cluster.url);
  await db.execute("insert into notes select n, 'text ' || n from generate_series(1, 5) n");
  await accept(db, "note", ["1", "2", "3", "4", "5"].flatMap(edit));
  await workOff(db, await sourceOf(db, notes));
  // The state that the schedule leaves behind.
  await db.execute("update aftercommit.sources set reconciled_at = now(), fully_reconciled_at = now()");
});
afterEach(async () => {
  await disconnect();
  await cluster.remove();
  await other?.remove();
});

const nextXid = async (of: Database) =>
  BigInt(String((await of.execute("select pg_current_xact_id()::text as xid")).rows[0]?.xid));

/** Lets the schedule and the drain process a database elsewhere. Resolves with what the provider is asked for. */
async function heal(elsewhere: Database) {
  const asked: string[] = [];
  const declaration = embeddedBy(provider((text) => asked.push(text)));
  const waitUntil = () => Promise.reject(new Error("There is nothing to wait for"));
  await drain(declaration, { db: elsewhere, runId: "run_1", waitUntil });
  // The schedule reconciles every ten minutes.
  await elsewhere.execute("update aftercommit.sources set reconciled_at = now() - interval '11 minutes'");
  const { reconciled, woken } = await lookAfter(notes, { db: elsewhere });
  await drain(declaration, { db: elsewhere, runId: "run_2", waitUntil });
  return { asked: asked.toSorted(), reconciled, woken };
}

describe("a database that is restored on another server", () => {
  beforeEach(async () => {
    // The transaction ids of the new server are far behind.
    await runOn(cluster.url, [
      "do $$ begin for i in 1..20000 loop perform pg_current_xact_id(); commit; end loop; end $$",
    ]);
    const source = await sourceOf(db, notes);
    const author = await startSession(cluster.url);
    // 1 waits. 2 was read before its change was visible. 3 is leased. The message about 4 has not arrived yet.
    for (const [row, body] of [
      [1, "waits"],
      [3, "leased"],
      [4, "lost"],
    ] as const)
      await db.execute(update(row, body));
    await author.query("begin");
    await author.query(update(2, "rolled back"));
    await accept(db, source.name, edit("2"));
    await workOff(db, source);
    await accept(db, source.name, [...edit("1"), ...edit("3")]);
    await leaseRow(db, source.name, "3");
    const saved = await pgDump(cluster.url, ["--inserts"]);
    await author.end();
    const before = await nextXid(db);
    other = await startCluster();
    await runOn(other.url, [saved]);
    db = connect(other.url);
    expect(await nextXid(db)).toBeLessThan(before);
  });

  it("goes on with every entry, and finds the changes whose messages are lost", async () => {
    const { rows } = await db.execute(`select row_id as id, accepted_xid > pg_current_xact_id() as future,
      settle_xid is not null as settles, lease is not null as leased from aftercommit.pending order by 1`);
    expect(rows).toEqual([
      { id: "1", future: true, settles: false, leased: false },
      { id: "2", future: true, settles: true, leased: false },
      { id: "3", future: true, settles: false, leased: true },
    ]);
    const { asked, reconciled, woken } = await heal(db);
    expect(reconciled).toEqual({ missing: 1, orphaned: 0, stopped: false });
    expect(woken).toBe(true);
    expect(asked).toEqual(["leased", "lost", "waits"]);
    expect(await faultsOf(db)).toEqual({ pending: [], wrong: [] });
    expect(await stampAgainElsewhere(db, "note")).toBe(false);
  });

  it("is certain of a change only when it is visible that came while the entries were stamped again", async () => {
    const [holder, author] = await Promise.all([startSession(other.url), startSession(other.url)]);
    await accept(db, "note", edit("5"));
    await holder.query("begin");
    await holder.query("select from aftercommit.pending where row_id = '1' for update");
    const stamping = stampAgainElsewhere(db, "note");
    const waiting = "select from pg_stat_activity where wait_event_type = 'Lock'";
    await until(async () => (await holder.query(waiting)).rowCount, { what: "stamp that waits" });
    await author.query("begin");
    await author.query(update(5, "late"));
    await accept(db, "note", edit("5"));
    await holder.query("commit");
    expect(await stamping).toBe(true);
    const source = await sourceOf(db, notes);
    await workOff(db, source);
    await author.query("commit");
    await workOff(db, source);
    // Only a reconciliation finds a change whose message is lost.
    expect(await faultsOf(db)).toEqual({ pending: [], wrong: ["4"] });
    await Promise.all([holder.end(), author.end()]);
  });
});

describe("a failover to a standby that is late", () => {
  it("loses nothing that the database still has, and goes on with every entry", async () => {
    await disconnect();
    other = await startStandby(cluster);
    db = connect(cluster.url);
    // The change of 1 reaches the standby, and so does the entry of 2, which a worker has leased.
    await db.execute(update(1, "its entry is lost"));
    await db.execute(update(2, "leased"));
    await accept(db, "note", edit("2"));
    await leaseRow(db, "note", "2");
    const { rows } = await db.execute("select pg_current_wal_lsn()::text as lsn");
    const standby = await startSession(other.url);
    await until(
      async () => {
        const replayed = "select pg_last_wal_replay_lsn() >= $1::pg_lsn as is";
        return (await standby.query(replayed, [rows[0]?.lsn])).rows[0]?.is;
      },
      { what: "standby that has caught up" },
    );
    await standby.query("alter system set primary_conninfo = ''");
    await standby.query("select pg_reload_conf()");
    const streaming = "select from pg_stat_wal_receiver";
    await until(async () => (await standby.query(streaming)).rowCount === 0, { what: "late standby" });

    await accept(db, "note", edit("1"));
    await db.execute(update(3, "only the old server had it"));
    await accept(db, "note", edit("3"));
    await workOff(db, await sourceOf(db, notes));
    await cluster.kill();
    await standby.query("select pg_promote()");
    await standby.end();

    db = connect(other.url);
    const { asked, reconciled } = await heal(db);
    expect(reconciled).toEqual({ missing: 1, orphaned: 0, stopped: false });
    expect(asked).toEqual(["its entry is lost", "leased"]);
    expect(await faultsOf(db)).toEqual({ pending: [], wrong: [] });
    const { rows: sources } = await db.execute(sql`select timeline from aftercommit.sources`);
    expect(sources).toEqual([{ timeline: "00000002" }]);
  });
});
