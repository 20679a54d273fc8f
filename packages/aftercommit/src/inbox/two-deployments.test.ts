import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createNotes, embeddedBy, MODEL, notes, provider } from "@/tests/helpers/inbox/notes.ts";
import { startFreshPostgres } from "@/tests/helpers/postgres.ts";
import { connect, type Database, disconnect } from "../db/client.ts";
import { defineEmbedding } from "../define.ts";
import { drain } from "../embeddings/drain.ts";
import { embedOne } from "../embeddings/embed-one.ts";
import { reconcile } from "../embeddings/reconcile.ts";
import { migrate } from "../migrate/migrate.ts";
import { type EmbeddingSource, SourceError, sourceOf } from "../source.ts";
import { accept } from "./accept.ts";

/** The declaration of a later deployment. */
const newer = defineEmbedding({
  row: "note",
  table: "public.notes",
  key: "id",
  text: "upper(body)",
  where: "published",
});

let postgres: Awaited<ReturnType<typeof startFreshPostgres>>;
let db: Database;

const ids = ["1", "2", "3"];
const deploy = (declaration: typeof notes) =>
  migrate({ url: postgres.url, declarations: [declaration], model: MODEL });
const change = () =>
  accept(
    db,
    "note",
    ids.map((rowId) => ({ rowId, queue: "batch", changedAt: null })),
  );
const work = (declaration: typeof notes, asked: (text: string) => unknown) =>
  drain(embeddedBy(provider(asked), declaration), { db, runId: "run", waitUntil: () => Promise.resolve() });

async function entries() {
  const { rows } = await db.execute(
    `select row_id as id, attempts, lease, next_attempt <= clock_timestamp() as due from aftercommit.pending order by 1`,
  );
  return rows;
}

const untouched = ids.map((id) => ({ id, attempts: 0, lease: null, due: true }));

/** Rows without the vectors that the later declaration asks for. */
async function wrongRows(): Promise<unknown[]> {
  const { rows } = await db.execute(`select n.id from notes n left join note_embeddings e on e.note_id = n.id
    where e.text_hash is distinct from md5('1000:' || upper(n.body))::uuid`);
  return rows;
}

beforeAll(async () => {
  postgres = await startFreshPostgres();
  db = connect(postgres.url);
  await createNotes(postgres.url);
});
afterAll(async () => {
  await disconnect();
  await postgres.close();
});
beforeEach(async () => {
  await db.execute("delete from aftercommit.pending; delete from note_embeddings; delete from notes");
  await db.execute("insert into notes values (1, 'one'), (2, 'two'), (3, 'three')");
  await deploy(notes);
  await change();
});

it("the older of two deployments leaves the rows alone, says what to do, and the newer one works", async () => {
  await deploy(newer);
  const asked: string[] = [];
  const message =
    /note is not the one that the database has: deploy the version that was migrated last, or npx aftercommit migrate/;
  await expect(work(notes, (text) => asked.push(text))).rejects.toThrow(message);
  await expect(embedOne(embeddedBy(provider()), "1", { db })).rejects.toThrow(message);
  expect(asked).toEqual([]);
  expect(await entries()).toEqual(untouched);
  await work(newer, (text) => asked.push(text));
  expect(asked.toSorted()).toEqual(["ONE", "THREE", "TWO"]);
  expect(await wrongRows()).toEqual([]);
});

it("a migration locks and changes no entry, however many there are", async () => {
  const tuples = async () => (await db.execute("select ctid, xmin, xmax from aftercommit.pending")).rows;
  const before = await tuples();
  await deploy(newer);
  expect(await tuples()).toEqual(before);
});

it("a migration in the middle of a lease leaves its rows due, for the newer deployment", async () => {
  const asked: string[] = [];
  const old = work(notes, async (text) => {
    if (asked.length === 0) await deploy(newer);
    asked.push(text);
  });
  await expect(old).rejects.toThrow(SourceError);
  expect(await entries()).toEqual(untouched);
  // Only what it had already requested is paid for without being used.
  expect(asked.toSorted()).toEqual(["one", "three", "two"]);
  await work(newer, (text) => asked.push(text));
  expect(asked).toHaveLength(6);
  expect(await wrongRows()).toEqual([]);
});

it("the rows that the older deployment has just finished are found by a full reconciliation", async () => {
  await work(notes, () => {});
  await deploy(newer);
  const source: EmbeddingSource = await sourceOf(db, newer);
  expect((await reconcile(db, source, { full: true })).missing).toBe(3);
  await expect(work(notes, () => {})).rejects.toThrow(SourceError);
  await work(newer, () => {});
  expect(await wrongRows()).toEqual([]);
  expect(await entries()).toEqual([]);
});
