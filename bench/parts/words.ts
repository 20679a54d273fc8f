import { sql } from "drizzle-orm";
import type pg from "pg";
import { posts } from "../../aftercommit.config.ts";
import { quoted } from "../../packages/aftercommit/src/db/identifiers.ts";
import { rowsOf } from "../../packages/aftercommit/src/search/connection.ts";
import { rowsSql } from "../../packages/aftercommit/src/source.ts";
import { wordVector } from "../../packages/aftercommit/src/words/vector.ts";
import { wordsTable, wordsTableSql } from "../../packages/aftercommit/src/words/words-table.ts";
import { randomOf } from "./texts.ts";

const PAGE = 5_000;
const VOCABULARY = 50_000;
const WORDS_OF_TITLE = 5;

export const WORDS_TABLE = quoted(wordsTable(posts));

const random = randomOf(7);
/** A word as often as in a language: the n-th most frequent one is n times rarer than the first (Zipf). */
const someWord = () => `word${Math.floor(VOCABULARY ** random())}`;
export const someText = (words: number) => Array.from({ length: words }, someWord).join(" ");
export const someRareWord = () => `word${VOCABULARY - 1 - Math.floor(random() * 10_000)}`;
export const someCommonWord = () => `word${1 + Math.floor(random() * 10)}`;

/** Adds posts and their words, as the worker would. */
async function addPage(client: pg.Client, from: number, { count, wordsOfBody }: Rows): Promise<void> {
  const rows = Array.from({ length: count }, (_, n) => {
    const [title, body] = [someText(WORDS_OF_TITLE), someText(wordsOfBody)];
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

type Rows = { count: number; wordsOfBody: number };

/** Adds so many posts and their words to an empty database, numbered from 1. */
export async function addRowsWithWords(
  client: pg.Client,
  { count, wordsOfBody, progress }: Rows & { progress(line: string): void },
): Promise<void> {
  for (let from = 1; from <= count; from += PAGE) {
    await addPage(client, from, { count: Math.min(PAGE, count - from + 1), wordsOfBody });
    if ((from - 1) % 100_000 === 0) progress(`${from - 1 + PAGE} of ${count} rows`);
  }
}

/** Adds rows while the table of words has no index, then builds it. Returns how many seconds that took. */
export async function indexWordsAfter(client: pg.Client, addRows: () => Promise<void>): Promise<number> {
  const { rows } = await client.query<{ name: string; statement: string }>(
    "select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as statement from pg_index where indrelid = $1::regclass and pg_get_indexdef(indexrelid) like '%gin%'",
    [WORDS_TABLE],
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  await addRows();
  await client.query("set maintenance_work_mem = '1GB'");
  const started = performance.now();
  for (const { statement } of rows) await client.query(statement);
  const seconds = (performance.now() - started) / 1_000;
  await client.query(`vacuum analyze posts, ${WORDS_TABLE}`);
  return seconds;
}

/**
 * Copies the first posts and their words until there are so many rows. The texts repeat, but each word is in as many
 * rows as if they did not.
 */
export async function copyRows(
  client: pg.Client,
  { first, upTo, progress }: { first: number; upTo: number; progress(line: string): void },
): Promise<void> {
  for (let from = first; from < upTo; from += first) {
    await client.query(
      `insert into posts (id, title, body, author)
       select id + ${from}, title, body, author from posts where id <= ${first}`,
    );
    await client.query(
      `insert into ${WORDS_TABLE} (post_id, passage, start, length, text_hash, language, size, words)
       select post_id + ${from}, passage, start, length, text_hash, language, size, words
       from ${WORDS_TABLE} where post_id <= ${first}`,
    );
    if (from % 100_000 === 0) progress(`${from} of ${upTo} rows`);
  }
}
