// npm run tune-search -- --data DIR: embeds a labelled data set, and prints how good each mode of search is on it.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { posts as declared } from "../aftercommit.config.ts";
import { connect, type Database } from "../packages/aftercommit/src/db/client.ts";
import { drain } from "../packages/aftercommit/src/embeddings/drain.ts";
import { reconcile } from "../packages/aftercommit/src/embeddings/reconcile.ts";
import { type Model, readModelsInUse } from "../packages/aftercommit/src/models/models.ts";
import { openai } from "../packages/aftercommit/src/providers/openai.ts";
import { providerOf } from "../packages/aftercommit/src/providers/provider-of.ts";
import { readInTransaction } from "../packages/aftercommit/src/search/connection.ts";
import { type RankedRow, rank, weighted } from "../packages/aftercommit/src/search/rank.ts";
import { vectorOfQuery } from "../packages/aftercommit/src/search/vector-of-query.ts";
import { parseQuery } from "../packages/aftercommit/src/search/word-query.ts";
import { readStatistics } from "../packages/aftercommit/src/search/word-statistics.ts";
import { sourceOf } from "../packages/aftercommit/src/source.ts";
import { languagesOf, readLexicons } from "../packages/aftercommit/src/words/lexicons.ts";
import { type LabelledQueries, readLabelledQueries } from "./parts/labelled-queries.ts";
import { startLocal } from "./parts/local.ts";
import { nonsense } from "./parts/nonsense.ts";
import { productDatabase } from "./parts/product-database.ts";
import { type Judgments, ndcg, recall } from "./parts/relevance.ts";
import { openServer } from "./parts/server.ts";

// The local model makes about three vectors of long texts per second.
const posts = process.env.OPENAI_BASE_URL
  ? declared
  : { ...declared, providers: [openai({ limits: { inputsPerRequest: 50 }, timeoutMs: 5 * 60_000 })] };
const RANKED = 100;
const NONSENSE = 100;
const MIN_SCORES = [0.2, 0.3, 0.4, 0.5, 0.6];
const WEIGHTS = Array.from({ length: 21 }, (_, step) => step / 20);

type Found = { judgments: Judgments; words: RankedRow[]; meaning: RankedRow[]; both: RankedRow[] };

const say = (line: string) => process.stderr.write(`${line}\n`);
const idsOf = (rows: readonly RankedRow[]) => rows.map(({ id }) => id);

async function embed(db: Database, { documents }: LabelledQueries): Promise<void> {
  await db.$client.query(
    `insert into posts (id, title, body, author) select n, title, body, 'Tune'
     from unnest($1::text[], $2::text[]) with ordinality as d (title, body, n)`,
    [documents.map(({ title }) => title), documents.map(({ text }) => text)],
  );
  await reconcile(db, await sourceOf(db, posts));
  const timer = setInterval(async () => {
    const { rows } = await db.$client.query("select count(*) from post_embeddings where chunk = 0");
    say(`${rows[0]?.count} of ${documents.length} documents embedded`);
  }, 15_000);
  await drain(posts, {
    db,
    runId: "tune-search",
    waitUntil: (at) => new Promise((go) => setTimeout(go, at - Date.now())),
  });
  clearInterval(timer);
}

async function searchFor(
  db: Database,
  model: Model,
  query: LabelledQueries["queries"][number],
): Promise<Found> {
  const vector = await vectorOfQuery(query.text, { model, provider: providerOf(posts, model), db });
  const languages = languagesOf(posts);
  const texts = languages.map((language) => ({ language, text: query.text }));
  const { terms } = parseQuery(query.text, languages.map(await readLexicons(db.$client, posts, texts)));
  return readInTransaction(db.$client, async (client) => {
    const words = await readStatistics(client, posts, { terms, tenant: undefined });
    const meaning = { vector, model, weight: 0.5 };
    const of = { declaration: posts, keyType: "bigint", filter: undefined, limit: RANKED } as const;
    return {
      judgments: query.judgments,
      words: await rank(client, { ...of, words, meaning: undefined }),
      meaning: await rank(client, { ...of, words: undefined, meaning }),
      both: await rank(client, { ...of, words, meaning }),
    };
  });
}

type Quality = { ndcg: number; recall: number };

function qualityOf(all: readonly Found[], ids: (found: Found) => string[]): Quality {
  const mean = (of: (found: Found) => number) => all.reduce((sum, found) => sum + of(found), 0) / all.length;
  return {
    ndcg: mean((found) => ndcg(ids(found), found.judgments)),
    recall: mean((found) => recall(ids(found), found.judgments)),
  };
}

/** How near the nearest row is to each of some queries that mean nothing. */
async function nearestToNonsense(db: Database, model: Model): Promise<number[]> {
  const scores: number[] = [];
  for (const text of nonsense(NONSENSE)) {
    const { meaning } = await searchFor(db, model, { text, judgments: new Map() });
    scores.push(meaning[0]?.score ?? 0);
  }
  return scores;
}

const byWeight = (weight: number) => (found: Found) =>
  idsOf(found.both.toSorted((a, b) => weighted(b.halves, weight) - weighted(a.halves, weight)));

const { values } = parseArgs({ options: { data: { type: "string" } } });
if (!values.data) {
  say("usage: npm run tune-search -- --data DIR, with corpus.jsonl, queries.jsonl and qrels.tsv in DIR");
  process.exit(1);
}
const labelled = readLabelledQueries(values.data);
const server = await openServer();
const database = await productDatabase(server);
const local = process.env.OPENAI_BASE_URL ? undefined : await startLocal(resolve("."), ["openai"]);
try {
  if (local) process.env.OPENAI_BASE_URL = `${local.url}/v1`;
  process.env.OPENAI_API_KEY ??= "tune-search";
  process.env.DATABASE_URL = database.url;
  const db = connect(database.url);
  await embed(db, labelled);
  const { active } = await readModelsInUse(db);
  const places = new Map(labelled.documents.map(({ _id }, index) => [_id, String(index + 1)]));
  const all: Found[] = [];
  for (const { text, judgments } of labelled.queries) {
    const byPlace = new Map([...judgments].map(([id, grade]) => [places.get(id) ?? id, grade]));
    all.push(await searchFor(db, active, { text, judgments: byPlace }));
  }
  const tuned = WEIGHTS.map((weight) => ({ weight, ...qualityOf(all, byWeight(weight)) }));
  const best = tuned.reduce((one, other) => (other.ndcg > one.ndcg ? other : one));
  const line = (name: string, { ndcg, recall }: Quality) =>
    `${name.padEnd(28)}${ndcg.toFixed(4).padStart(8)}${recall.toFixed(4).padStart(12)}`;
  console.log(`${" ".repeat(28)} NDCG@10  recall@100`);
  console.log(
    line(
      "words",
      qualityOf(all, ({ words }) => idsOf(words)),
    ),
  );
  console.log(
    line(
      "meaning",
      qualityOf(all, ({ meaning }) => idsOf(meaning)),
    ),
  );
  for (const one of tuned)
    if (Math.round(one.weight * 100) % 10 === 0 || one === best)
      console.log(line(`hybrid, meaningWeight ${one.weight}`, one));
  const scores = await nearestToNonsense(db, active);
  console.log(`\nOf ${NONSENSE} random queries, find nothing:`);
  for (const minScore of MIN_SCORES)
    console.log(`minScore ${minScore}`.padEnd(28), scores.filter((score) => score < minScore).length);
  console.log(`\nThe best here: meaningWeight: ${best.weight}`);
} finally {
  await local?.stop();
  await database.drop();
}
process.exit(0);
