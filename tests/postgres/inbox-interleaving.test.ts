import { afterAll, beforeAll, expect, it } from "vitest";
import { connect, type Database, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { accept } from "../../packages/aftercommit/src/inbox/accept.ts";
import { CHUNKER } from "../../packages/aftercommit/src/models/defaults.ts";
import { type EmbeddingSource, sourceOf } from "../../packages/aftercommit/src/source.ts";
import { explore } from "../helpers/inbox/inbox-explore.ts";
import { type Scenario, scenarios } from "../helpers/inbox/inbox-scenarios.ts";
import type { Sessions } from "../helpers/inbox/inbox-step.ts";
import { World } from "../helpers/inbox/inbox-world.ts";
import { createNotes, DIMENSIONS, notes, startSession, workOff } from "../helpers/inbox/notes.ts";
import { type Cluster, startCluster } from "../helpers/own-cluster.ts";
import { runOn } from "../helpers/real-postgres.ts";

// The orders of a scenario differ in what comes first; the same ones are tried each time.
const SEED = 1;
// Walks per scenario; WALKS=1000000 tries every order, which takes hours.
const MOST = Number(process.env.WALKS ?? 50);

let cluster: Cluster;
let db: Database;
let source: EmbeddingSource;
let sessions: Sessions;

beforeAll(async () => {
  process.env.EMBEDDING_REQUESTS_PER_MINUTE = "1000000000";
  cluster = await startCluster();
  // It has transactions, too, which make reads uncertain.
  await runOn(cluster.url, ["alter system set autovacuum = off", "select pg_reload_conf()"]);
  await createNotes(cluster.url);
  db = connect(cluster.url);
  source = await sourceOf(db, notes);
  const open = (count: number) => Promise.all(Array.from({ length: count }, () => startSession(cluster.url)));
  sessions = { db, source, authors: await open(3), acceptors: await open(2) };
  await db.execute("insert into notes values (1, 'a'), (2, 'a')");
  await accept(
    db,
    source.name,
    ["1", "2"].map((rowId) => ({ rowId, queue: "batch", changedAt: null })),
  );
  await workOff(db, source);
  await db.execute(`create table saved as select * from note_embeddings;
    create table saved_words as select * from aftercommit.note_words`);
});
afterAll(async () => {
  delete process.env.EMBEDDING_REQUESTS_PER_MINUTE;
  for (const client of [...sessions.authors, ...sessions.acceptors]) await client.end();
  await disconnect();
  await cluster.remove();
});

/** The state in which a scenario begins. */
async function begin(scenario: Scenario): Promise<World> {
  for (const client of [...sessions.authors, ...sessions.acceptors]) await client.query("rollback");
  const isBuilding = scenario.model === "building";
  const rows = scenario.rows.flatMap((row, n) => (row ? [{ id: n + 1, ...row }] : []));
  const values = rows.map(({ id, text, published }) => `(${id}, '${text}', ${published})`).join(", ");
  const embedded = rows.filter(({ published }) => published).map(({ id }) => id);
  await db.execute(`delete from aftercommit.pending; delete from note_embeddings; delete from aftercommit.note_words; delete from notes;
    delete from aftercommit.models where name <> 'first';
    update aftercommit.models set state = 'active' where name = 'first';
    insert into aftercommit.models (name, dimensions, chunker, state, index_type)
      select 'second', ${DIMENSIONS}, ${CHUNKER}, 'building', 'halfvec' where ${isBuilding};
    ${rows.length > 0 ? `insert into notes (id, body, published) values ${values};` : ""}
    insert into note_embeddings select * from saved where note_id in (${[0, ...embedded]});
    insert into aftercommit.note_words select * from saved_words where note_id in (${[0, ...embedded]})`);
  return new World(scenario, sessions);
}

const named = scenarios.map((scenario) => [scenario.name, scenario] as const);

it.each(named)("whatever comes first, it ends at the present text: %s", async (_, scenario) => {
  const explored = await explore(() => begin(scenario), { most: MOST, seed: SEED });
  console.log(JSON.stringify({ scenario: scenario.name, ...explored }));
  expect(explored.quiet).toBeGreaterThan(0);
});
