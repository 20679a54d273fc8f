import { posts } from "../../aftercommit.config.ts";
import { quoted } from "../../packages/aftercommit/src/db/identifiers.ts";
import type { Model } from "../../packages/aftercommit/src/models/models.ts";
import type { Bench } from "../bench.ts";
import type { FreshDatabase } from "./server.ts";
import { WORDS_TABLE } from "./words.ts";

type Size = {
  what: string;
  /** An SQL expression. */
  bytes: string;
  rows: number;
};

/** The size of a table or an index, in all and per row. */
export async function measureSize(
  { figure }: Bench,
  { client }: FreshDatabase,
  { what, bytes, rows }: Size,
): Promise<void> {
  const { rows: found } = await client.query<{ bytes: string }>(`select ${bytes} as bytes`);
  const size = Number(found[0]?.bytes);
  figure(`${what}: size`, size / 1e6, "MB");
  figure(`${what}: per row`, size / rows, "bytes");
}

/** The sizes of the posts and of what is stored about them. */
export async function measureSizes(
  bench: Bench,
  database: FreshDatabase,
  { rows, embedded, model }: { rows: number; embedded: number; model: Model },
): Promise<void> {
  const vectors = quoted(posts.embeddings);
  const index = `pg_relation_size('${posts.embeddings.name}_model_${model.id}')`;
  for (const size of [
    { what: "your table", bytes: `pg_total_relation_size('${quoted(posts.table)}')`, rows },
    { what: "words", bytes: `pg_table_size('${WORDS_TABLE}')`, rows },
    { what: "indexes of the words", bytes: `pg_indexes_size('${WORDS_TABLE}')`, rows },
    { what: "vectors", bytes: `pg_table_size('${vectors}')`, rows: embedded },
    { what: "b-trees of the vectors", bytes: `pg_indexes_size('${vectors}') - ${index}`, rows: embedded },
    { what: "index of the vectors", bytes: index, rows: embedded },
  ])
    await measureSize(bench, database, size);
}
