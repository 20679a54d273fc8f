import { sql } from "drizzle-orm";
import type pg from "pg";
import { posts } from "../../aftercommit.config.ts";
import { quoted } from "../../packages/aftercommit/src/db/identifiers.ts";
import { rowsOf } from "../../packages/aftercommit/src/search/connection.ts";
import { search } from "../../packages/aftercommit/src/search/search.ts";
import { rowsSql } from "../../packages/aftercommit/src/source.ts";
import { wordVector } from "../../packages/aftercommit/src/words/vector.ts";
import { wordsTable, wordsTableSql } from "../../packages/aftercommit/src/words/words-table.ts";
import type { Bench } from "../bench.ts";
import { productDatabase } from "../parts/product-database.ts";
import { realServer } from "../parts/server.ts";
import { randomOf } from "../parts/texts.ts";
import { Times } from "../report.ts";

const PAGE = 5_000;
const VOCABULARY = 50_000;
const WORDS_OF_BODY = 60;

const random = randomOf(7);
/** A word as often as in a language: the n-th most frequent one is n times rarer than the first (Zipf). */
const someWord = () => `word${Math.floor(VOCABULARY ** random())}`;
const someText = (words: number) => Array.from({ length: words }, someWord).join(" ");
const TABLE = quoted(wordsTable(posts));

/** Adds posts and their words, as the worker would. */
async function addPage(client: pg.Client, from: number, count: number): Promise<void> {
  const rows = Array.from({ length: count }, (_, n) => {
    const [title, body] = [someText(5), someText(WORDS_OF_BODY)];
    return { id: from + n, title, body, ...wordVector({ passage: `${title}\n\n${body}`, title }) };
  });
  const column = <K extends keyof (typeof rows)[number]>(name: K) => rows.map((row) => row[name]);
  await client.query(
    `insert into posts (id, title, body, author)
     select p.id, p.title, p.body, 'Bench' from unnest($1::bigint[], $2::text[], $3::text[]) as p(id, title, body)`,
    [column("id"), column("title"), column("body")],
  );
  await rowsOf(
    client,
    sql`insert into ${wordsTableSql(posts)} (post_id, passage, start, length, text_hash, language, size, words)
      select r.id, 0, 0, length(r.text), r.text_hash, r.language, w.size, w.words::tsvector
      from unnest(${sql.param(column("id"))}::bigint[], ${sql.param(column("size"))}::int[],
        ${sql.param(column("vector"))}::text[]) as w(id, size, words) join ${rowsSql(posts)} r on r.id = w.id`,
  );
}

async function addRows({ progress }: Bench, client: pg.Client, all: number): Promise<void> {
  const { rows } = await client.query<{ name: string; statement: string }>(
    "select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as statement from pg_index where indrelid = $1::regclass and pg_get_indexdef(indexrelid) like '%gin%'",
    [TABLE],
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  for (let from = 1; from <= all; from += PAGE) {
    await addPage(client, from, Math.min(PAGE, all - from + 1));
    if ((from - 1) % 100_000 === 0) progress(`${from - 1 + PAGE} of ${all} rows`);
  }
  progress("builds the index of words");
  await client.query("set maintenance_work_mem = '1GB'");
  for (const { statement } of rows) await client.query(statement);
  await client.query(`vacuum analyze posts, ${TABLE}`);
}

// The n-th most frequent word is in about one row in n / 6 of these texts.
const QUERIES: Readonly<Record<string, () => string>> = {
  "one rare word": () => `word${VOCABULARY - 1 - Math.floor(random() * 10_000)}`,
  "one common word": () => `word${1 + Math.floor(random() * 10)}`,
  "ten words": () => someText(10),
  "ten words and a phrase": () => `${someText(8)} "word${1 + Math.floor(random() * 10)} word2"`,
};

/** Search by words alone among a million rows. */
export async function run(bench: Bench): Promise<void> {
  const { quick, progress, times, count, figure } = bench;
  const database = await productDatabase(await realServer(bench.server));
  const { client, url } = database;
  try {
    await addRows(bench, client, quick ? PAGE : 1_000_000);
    const { rows } = await client.query<{ bytes: string }>(
      "select pg_total_relation_size($1::regclass) as bytes",
      [TABLE],
    );
    figure("words and their index", Number(rows[0]?.bytes) / 2 ** 20, "MiB");
    process.env.DATABASE_URL = url;
    for (const [what, someQuery] of Object.entries(QUERIES)) {
      progress(what);
      const took = new Times();
      let empty = 0;
      for (let n = 0; n < (quick ? 5 : 100); n += 1) {
        const query = someQuery();
        const { results } = await took.measure(() => search(posts, { query, mode: "words" }));
        if (results.length === 0) empty += 1;
      }
      times(what, took);
      count(`${what}: p50`, took.percentile(50), { atMost: 100 }, "ms");
      figure(`${what}: searches that found nothing`, empty, "");
    }
  } finally {
    await database.drop();
  }
}
