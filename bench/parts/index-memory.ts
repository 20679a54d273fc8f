import pg from "pg";
import { posts } from "../../aftercommit.config.ts";
import { quoted } from "../../packages/aftercommit/src/db/identifiers.ts";
import type { Model } from "../../packages/aftercommit/src/models/models.ts";

const BYTES = 16 * 2 ** 20;
const VECTORS = 6_000;
// What pgvector says when it continues on disk, which is many times slower.
const FULL = /no longer fits into maintenance_work_mem after (\d+) tuples/;

/** How many bytes of maintenance_work_mem one vector takes while an index is built, by filling a little of it. */
export async function indexMemoryPerVector(url: string, { indexType, dimensions }: Model): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  let fitting = Number.NaN;
  client.on("notice", ({ message }) => {
    fitting = Number(FULL.exec(message ?? "")?.[1] ?? fitting);
  });
  await client.connect();
  try {
    await client.query(`set maintenance_work_mem = '${BYTES}B'`);
    await client.query(
      `create temporary table few as select embedding from ${quoted(posts.embeddings)} limit ${VECTORS}`,
    );
    await client.query(
      `create index on few using hnsw ((embedding::${indexType}(${dimensions})) ${indexType}_cosine_ops)`,
    );
    return BYTES / fitting;
  } finally {
    await client.end();
  }
}
