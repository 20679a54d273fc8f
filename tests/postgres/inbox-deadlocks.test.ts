import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { connect, type Database, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { reconcile } from "../../packages/aftercommit/src/embeddings/reconcile.ts";
import { accept } from "../../packages/aftercommit/src/inbox/accept.ts";
import { stampAgainElsewhere } from "../../packages/aftercommit/src/inbox/stamp-again.ts";
import { type EmbeddingSource, sourceOf } from "../../packages/aftercommit/src/source.ts";
import { createNotes, faultsOf, notes, startSession, workOff } from "../helpers/inbox/notes.ts";
import { type Cluster, startCluster } from "../helpers/own-cluster.ts";
import { runOn } from "../helpers/real-postgres.ts";
import { chanceOf, seed } from "../helpers/seed.ts";

const ACCEPTORS = 8;
const DRAINS = 4;
const ROWS = 200;
const DELIVERIES = 800;

let cluster: Cluster;
let db: Database;
let source: EmbeddingSource;
let watcher: Client;

beforeAll(async () => {
  process.env.EMBEDDING_REQUESTS_PER_MINUTE = "1000000000";
  cluster = await startCluster();
  // A session that has waited this long checks for a deadlock.
  await runOn(cluster.url, ["alter system set deadlock_timeout = '20ms'", "select pg_reload_conf()"]);
  await createNotes(cluster.url);
  db = connect(cluster.url, { poolSize: 20 });
  source = await sourceOf(db, notes);
  watcher = await startSession(cluster.url);
});
afterAll(async () => {
  delete process.env.EMBEDDING_REQUESTS_PER_MINUTE;
  await watcher.end();
  await disconnect();
  await cluster.remove();
});
beforeEach(async () => {
  await db.execute(`truncate notes, note_embeddings, aftercommit.note_words, aftercommit.pending;
    insert into notes select n, 'text ' || n from generate_series(1, ${ROWS}) n`);
});

async function deadlocks(): Promise<number> {
  const { rows } = await watcher.query(
    "select deadlocks::int as found from pg_stat_database where datname = 'postgres'",
  );
  return rows[0]?.found;
}

/**
 * Many processes accept rows, in any order, and many drain, until everything is delivered, while `beside` keeps
 * running.
 */
async function crowd(beside: () => Promise<unknown>): Promise<void> {
  console.log(`SEED=${seed}`);
  const chance = chanceOf(seed);
  const any = (count: number) => Math.floor(chance() * count);
  let left = DELIVERIES;
  const acceptor = async () => {
    while (left > 0) {
      left -= 1;
      const rows = Array.from({ length: 30 }, () => String(1 + any(ROWS)));
      const queue = any(2) === 0 ? "realtime" : "batch";
      await db.execute(`update notes set body = 'change ' || ${left} where id = ${rows[0]}`);
      await accept(
        db,
        source.name,
        rows.map((rowId) => ({ rowId, queue, changedAt: null })),
      );
    }
  };
  const goOn = async (work: () => Promise<unknown>) => {
    while (left > 0) await work();
  };
  await Promise.all([
    ...Array.from({ length: ACCEPTORS }, acceptor),
    ...Array.from({ length: DRAINS }, () => goOn(() => workOff(db, source))),
    goOn(beside),
  ]);
}

it("parallel acceptors, drains, a reconciliation and a new stamp meet no deadlock", async () => {
  await crowd(async () => {
    await reconcile(db, source, { full: true });
    await db.execute("update aftercommit.sources set timeline = 'another'");
    await stampAgainElsewhere(db, source.name);
  });
  await workOff(db, source);
  expect(await faultsOf(db)).toEqual({ pending: [], wrong: [] });
  expect(await deadlocks()).toBe(0);
});
