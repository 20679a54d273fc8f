import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { connect, type Database, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { embedLease } from "../../packages/aftercommit/src/embeddings/embed-lease.ts";
import { accept } from "../../packages/aftercommit/src/inbox/accept.ts";
import { leaseRow } from "../../packages/aftercommit/src/inbox/lease.ts";
import { type EmbeddingSource, sourceOf } from "../../packages/aftercommit/src/source.ts";
import {
  createNotes,
  faultsOf,
  notes,
  provider,
  sourceEmbeddedBy,
  startSession,
  workOff,
} from "../helpers/inbox/notes.ts";
import { type Cluster, startCluster } from "../helpers/own-cluster.ts";
import { until } from "../helpers/until.ts";

const edit = (rowId: string) => [{ rowId, queue: "realtime", changedAt: null }] as const;
const WAITING =
  "select pid from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'aftercommit'";

let cluster: Cluster;
let db: Database;
let source: EmbeddingSource;

beforeAll(async () => {
  cluster = await startCluster();
  await createNotes(cluster.url);
  db = connect(cluster.url);
  source = await sourceOf(db, notes);
});
afterAll(async () => {
  await disconnect();
  await cluster.remove();
});
beforeEach(async () => {
  await db.execute(`truncate notes, note_embeddings, aftercommit.note_words, aftercommit.pending;
    insert into notes values (1, 'one'), (2, 'two')`);
});

const entries = async () =>
  (await db.execute("select row_id as id, lease is not null as leased, attempts from aftercommit.pending"))
    .rows;

it.each(["stop", "kill"] as const)(
  "after a %s, the pool gives an error and recovers by itself, and what was accepted is there",
  async (end) => {
    await accept(db, source.name, edit("1"));
    await cluster[end]();
    await expect(accept(db, source.name, edit("2"))).rejects.toThrow();
    await cluster.start();
    expect(await entries()).toEqual([{ id: "1", leased: false, attempts: 0 }]);
    await accept(db, source.name, edit("2"));
    await workOff(db, source);
    expect(await faultsOf(db)).toEqual({ pending: [], wrong: [] });
  },
);

/** The write of a lease, which waits in the middle until `holder` lets it continue. */
async function interruptedWrite(holder: Client) {
  await holder.query("begin");
  await holder.query("lock table note_embeddings in share mode");
  await accept(db, source.name, edit("1"));
  const lease = await leaseRow(db, source.name, "1");
  const write = embedLease(
    { db, source: sourceEmbeddedBy(provider(), source), priority: true, builds: false },
    lease,
  );
  const failed = expect(write).rejects.toThrow();
  const pid = await until(async () => (await holder.query(WAITING)).rows[0]?.pid, {
    what: "write that waits",
  });
  return { failed, pid };
}

const isEmbedded = async () =>
  (await db.execute("select from note_embeddings where note_id = 1")).rowCount === 1;

it("a write that a kill interrupts is undone, and is done when its lease is over", async () => {
  const { failed } = await interruptedWrite(await startSession(cluster.url));
  await cluster.kill();
  await failed;
  await cluster.start();
  expect(await isEmbedded()).toBe(false);
  expect(await entries()).toEqual([{ id: "1", leased: true, attempts: 1 }]);
  await workOff(db, source);
  expect(await isEmbedded()).toBe(false);
  await db.execute("update aftercommit.pending set next_attempt = clock_timestamp()");
  await workOff(db, source);
  expect(await isEmbedded()).toBe(true);
  expect(await entries()).toEqual([]);
});

it("a write whose connection is lost is undone, and its row is due again by the time that the run fails", async () => {
  const holder = await startSession(cluster.url);
  const { failed, pid } = await interruptedWrite(holder);
  await holder.query("select pg_terminate_backend($1)", [pid]);
  await failed;
  await holder.query("rollback");
  await holder.end();
  expect(await isEmbedded()).toBe(false);
  expect(await entries()).toEqual([{ id: "1", leased: false, attempts: 0 }]);
  await workOff(db, source);
  expect(await isEmbedded()).toBe(true);
});
