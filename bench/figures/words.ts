import { posts } from "../../aftercommit.config.ts";
import { search } from "../../packages/aftercommit/src/search/search.ts";
import type { Bench } from "../bench.ts";
import { productDatabase } from "../parts/product-database.ts";
import { realServer } from "../parts/server.ts";
import {
  addRowsWithWords,
  indexWordsAfter,
  someCommonWord,
  someRareWord,
  someText,
  WORDS_TABLE,
} from "../parts/words.ts";
import { Times } from "../report.ts";

const WORDS_OF_BODY = 60;

// The n-th most frequent word is in about one row in n / 6 of these texts.
const QUERIES: Readonly<Record<string, () => string>> = {
  "one rare word": someRareWord,
  "one common word": someCommonWord,
  "ten words": () => someText(10),
  "ten words and a phrase": () => `${someText(8)} "${someCommonWord()} word2"`,
};

/** Search by words alone among a million rows. */
export async function run(bench: Bench): Promise<void> {
  const { quick, progress, times, count, figure } = bench;
  const database = await productDatabase(await realServer(bench.server));
  const { client, url } = database;
  try {
    const all = quick ? 5_000 : 1_000_000;
    await indexWordsAfter(client, () =>
      addRowsWithWords(client, { count: all, wordsOfBody: WORDS_OF_BODY, progress }),
    );
    const { rows } = await client.query<{ bytes: string }>(
      "select pg_total_relation_size($1::regclass) as bytes",
      [WORDS_TABLE],
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
