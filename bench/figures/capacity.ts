import { posts } from "../../aftercommit.config.ts";
import type { Database } from "../../packages/aftercommit/src/db/client.ts";
import { reconcile } from "../../packages/aftercommit/src/embeddings/reconcile.ts";
import { type Model, readModelsInUse } from "../../packages/aftercommit/src/models/models.ts";
import { buildVectorIndex } from "../../packages/aftercommit/src/models/vector-index.ts";
import { sourceOf } from "../../packages/aftercommit/src/source.ts";
import type { Bench } from "../bench.ts";
import { indexMemoryPerVector } from "../parts/index-memory.ts";
import { timePageQueries } from "../parts/page-queries.ts";
import { productDatabase } from "../parts/product-database.ts";
import { measureSearch } from "../parts/search-modes.ts";
import { type FreshDatabase, realServer } from "../parts/server.ts";
import { measureSize, measureSizes } from "../parts/sizes.ts";
import { addVectorsOnTopics } from "../parts/topics.ts";
import { connectPatiently } from "../parts/vectors.ts";
import { addRowsWithWords, copyRows, indexWordsAfter } from "../parts/words.ts";

const WORDS_OF_BODY = 95;

type Counts = { rows: number; texts: number; embedded: number; added: number };
const COUNTS: Counts = { rows: 1_000_000, texts: 20_000, embedded: 100_000, added: 1_000 };
const QUICK: Counts = { rows: 20_000, texts: 5_000, embedded: 6_000, added: 100 };

type Run = { bench: Bench; database: FreshDatabase; db: Database; counts: Counts };

const secondsOf = async (work: () => Promise<unknown>) => {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
};

/** The vectors and their index, and what another vector costs once there is one. */
async function addVectors({ bench, database: { client, url }, counts }: Run, model: Model): Promise<void> {
  const { progress, figure } = bench;
  const { embedded, added } = counts;
  const vectors = { modelId: model.id, progress };
  const before = await secondsOf(() =>
    addVectorsOnTopics(client, { ...vectors, from: 1, count: embedded - added }),
  );
  figure("a vector inserted without an index", (before / (embedded - added)) * 1_000, "ms");
  progress("builds the index of the vectors");
  const built = await secondsOf(() => buildVectorIndex(client, posts.embeddings, model));
  figure("index of the vectors built in", built, "s");
  figure("memory to build it, per vector", await indexMemoryPerVector(url, model), "bytes");
  const after = await secondsOf(() =>
    addVectorsOnTopics(client, { ...vectors, from: embedded - added + 1, count: added }),
  );
  figure("a vector inserted with the index", (after / added) * 1_000, "ms");
  await client.query("vacuum analyze post_embeddings");
}

/** The rows without vectors go into the inbox, and stay there. */
async function measureInbox({ bench, database, db, counts }: Run): Promise<void> {
  const { progress, figure, count, times } = bench;
  const source = await sourceOf(db, posts);
  const waiting = counts.rows - counts.embedded;
  for (const [what, found] of [
    [`reconcile that finds ${waiting} rows`, waiting],
    ["reconcile that finds nothing new", 0],
  ] as const) {
    progress(what);
    const started = performance.now();
    const { missing } = await reconcile(db, source);
    figure(what, (performance.now() - started) / 1_000, "s");
    count(`${what}: rows to do`, missing, { exactly: found });
  }
  const inbox = "pg_total_relation_size('aftercommit.pending')";
  await measureSize(bench, database, { what: "inbox", bytes: inbox, rows: waiting });
  for (const [name, took] of await timePageQueries(db)) times(`page with ${waiting} pending: ${name}`, took);
}

/** What a row costs on a real PostgreSQL: a million rows with their words, a tenth of them with vectors. */
export async function run(bench: Bench): Promise<void> {
  const { quick, progress, figure } = bench;
  const counts = quick ? QUICK : COUNTS;
  const { rows, texts, embedded } = counts;
  const database = await productDatabase(await realServer(bench.server));
  const { client, url } = database;
  const db = connectPatiently(url);
  process.env.DATABASE_URL = url;
  try {
    const { active: model } = await readModelsInUse(db);
    const words = await indexWordsAfter(client, async () => {
      await addRowsWithWords(client, { count: texts, wordsOfBody: WORDS_OF_BODY, progress });
      await copyRows(client, { first: texts, upTo: rows, progress });
    });
    figure("index of the words built in", words, "s");
    await addVectors({ bench, database, db, counts }, model);
    await measureSizes(bench, database, { rows, embedded, model });
    await measureSearch(bench);
    await measureInbox({ bench, database, db, counts });
  } finally {
    await database.drop();
  }
}
