import { drizzle } from "drizzle-orm/node-postgres";
import { type Client, Pool } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect, type Database, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { embedOne } from "../../packages/aftercommit/src/embeddings/embed-one.ts";
import { accept } from "../../packages/aftercommit/src/inbox/accept.ts";
import { type EmbeddingSource, sourceOf } from "../../packages/aftercommit/src/source.ts";
import {
  createNotes,
  embeddedBy,
  faultsOf,
  notes,
  provider,
  startSession,
  workOff,
} from "../helpers/inbox/notes.ts";
import { endStall, pidOf, stallCommits, waitsForStandby } from "../helpers/inbox/stall.ts";
import { type Cluster, startCluster, startStandby } from "../helpers/own-cluster.ts";
import { until } from "../helpers/until.ts";

const changes = [
  { what: "an insert", row: "9", statement: "insert into notes values (9, 'inserted')", asks: ["inserted"] },
  {
    what: "an update",
    row: "2",
    statement: "update notes set body = 'updated' where id = 2",
    asks: ["updated"],
  },
  { what: "a delete", row: "3", statement: "delete from notes where id = 3", asks: [] },
  {
    what: "an update whose row `where` then excludes",
    row: "4",
    statement: "update notes set published = false where id = 4",
    asks: [],
  },
];

const named = changes.map((change) => [change.what, change] as const);

const edit = (rowId: string) => [{ rowId, queue: "realtime", changedAt: null }] as const;

/** Five rows with their vectors. */
async function fill(db: Database, source: EmbeddingSource): Promise<void> {
  await db.execute(`delete from notes; delete from note_embeddings; delete from aftercommit.note_words; delete from aftercommit.pending;
    insert into notes select n, 'text ' || n from generate_series(1, 5) n`);
  await accept(db, source.name, ["1", "2", "3", "4", "5"].flatMap(edit));
  await workOff(db, source);
  expect(await faultsOf(db)).toEqual({ pending: [], wrong: [] });
}

async function entriesOf(db: Database) {
  const { rows } = await db.execute(
    `select row_id as "rowId", settle_xid = accepted_xid as settles, lease from aftercommit.pending`,
  );
  return rows;
}

async function storedOf(db: Database) {
  const { rows } = await db.execute("select note_id, text_hash from note_embeddings order by 1");
  return rows;
}

/** Commits a statement and resolves when the commit is flushed and hangs; `over` resolves when it ends. */
async function commitThatHangs(watcher: Client, author: Client, statement: string) {
  const pid = await pidOf(author);
  await author.query("begin");
  await author.query(statement);
  const over = author.query("commit");
  await waitsForStandby(watcher, pid);
  return { over };
}

describe("where the synchronous standby does not exist", () => {
  let cluster: Cluster;
  let pool: Pool;
  let db: Database;
  let source: EmbeddingSource;
  let watcher: Client;
  let author: Client;

  beforeAll(async () => {
    cluster = await startCluster();
    await createNotes(cluster.url);
    // The product's own commits would hang as well, and it would answer 503 until they end. This test is about a change
    // that is delivered while its own commit hangs.
    pool = new Pool({ connectionString: cluster.url, options: "-c synchronous_commit=local" });
    db = drizzle({ client: pool });
    source = await sourceOf(db, notes);
    watcher = await startSession(cluster.url, "-c synchronous_commit=local");
    author = await startSession(cluster.url);
    await watcher.query("select pg_create_logical_replication_slot('seen', 'test_decoding')");
  });
  beforeEach(async () => {
    await fill(db, source);
    await watcher.query("select pg_logical_slot_get_changes('seen', null, null)");
    await stallCommits(watcher, cluster.url);
  });
  afterAll(async () => {
    await Promise.all([watcher.end(), author.end(), pool.end()]);
    await cluster.remove();
  });

  it.each(named)("%s that is delivered before it is visible ends at the right vectors", async (_, change) => {
    const { row, statement, asks } = change;
    const asked: string[] = [];
    const embed = provider((text) => asked.push(text));
    const before = await storedOf(db);

    const { over } = await commitThatHangs(watcher, author, statement);
    const decoded = await watcher.query("select data from pg_logical_slot_get_changes('seen', null, null)");
    expect(decoded.rows.map(({ data }) => data.split(" ")[0])).toEqual(
      expect.arrayContaining(["BEGIN", "table", "COMMIT"]),
    );

    await accept(db, source.name, edit(row));
    await workOff(db, source, embed);
    // The read may have come too early, so the entry stays. Nothing is requested, and no one reads again and again.
    expect(await entriesOf(db)).toEqual([{ rowId: row, settles: true, lease: null }]);
    expect(await storedOf(db)).toEqual(before);
    expect(asked).toEqual([]);

    await endStall(watcher);
    await over;
    await workOff(db, source, embed);
    expect(await faultsOf(db)).toEqual({ pending: [], wrong: [] });
    expect(asked).toEqual(asks);
  });

  it("a row that no open transaction has touched does not wait for it", async () => {
    const { over } = await commitThatHangs(watcher, author, "update notes set body = 'updated' where id = 2");
    await accept(db, source.name, edit("1"));
    await workOff(db, source);
    expect(await entriesOf(db)).toEqual([]);
    await endStall(watcher);
    await over;
  });
});

describe("where the standby is late to apply what authors wait for", () => {
  let cluster: Cluster;
  let standby: Cluster;
  let db: Database;
  let source: EmbeddingSource;
  let watcher: Client;
  let author: Client;
  let behind: Client;

  beforeAll(async () => {
    cluster = await startCluster();
    await createNotes(cluster.url);
    standby = await startStandby(cluster);
    db = connect(cluster.url);
    source = await sourceOf(db, notes);
    await fill(db, source);
    behind = await startSession(standby.url);
    watcher = await startSession(cluster.url);
    author = await startSession(cluster.url, "-c synchronous_commit=remote_apply");
    await watcher.query("alter system set synchronous_standby_names = 'standby'");
    await watcher.query("select pg_reload_conf()");
    const sync = "select from pg_stat_replication where sync_state = 'sync'";
    await until(async () => (await watcher.query(sync)).rowCount, { what: "synchronous standby" });
  });
  afterAll(async () => {
    await Promise.all([watcher.end(), author.end(), behind.end()]);
    await disconnect();
    await standby.remove();
    await cluster.remove();
  });

  it("the product's own sessions go on, and an edit that is not visible yet is embedded when it is", async () => {
    const asked: string[] = [];
    const embed = provider((text) => asked.push(text));
    await behind.query("select pg_wal_replay_pause()");
    const paused = "select from pg_get_wal_replay_pause_state() as state where state = 'paused'";
    await until(async () => (await behind.query(paused)).rowCount, { what: "standby that pauses" });

    const { over } = await commitThatHangs(watcher, author, "update notes set body = 'late' where id = 1");
    await accept(db, source.name, edit("1"));
    expect(await embedOne(embeddedBy(embed), "1", { db })).toMatchObject({ status: "unsettled" });
    expect(await entriesOf(db)).toEqual([{ rowId: "1", settles: true, lease: null }]);
    expect(asked).toEqual([]);

    await behind.query("select pg_wal_replay_resume()");
    await over;
    await workOff(db, source, embed);
    expect(await faultsOf(db)).toEqual({ pending: [], wrong: [] });
    expect(asked).toEqual(["late"]);
  });
});
