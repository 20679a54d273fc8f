import { type SQL, sql } from "drizzle-orm";
import { posts } from "../../aftercommit.config.ts";
import { connect, type Database } from "../../packages/aftercommit/src/db/client.ts";
import { rowsSql } from "../../packages/aftercommit/src/source.ts";

/** A connection of the product without a statement timeout. */
export const connectPatiently = (url: string): Database => connect(url, { statementTimeoutMs: 0 });

type Vectors = {
  /** The vector of a post, as SQL over its row `r`. */
  embedding: SQL;
  where?: SQL;
};

/** Gives posts a vector of their current text by the first model, without a provider. */
export async function insertVectors(db: Database, { embedding, where = sql`true` }: Vectors): Promise<void> {
  await db.execute(sql`
    insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
    select r.id, 1, 0, 1, r.text_hash, 0, length(r.text), 5, ${embedding} from ${rowsSql(posts)} r where ${where}`);
}

const isUpToDate = sql`exists (select from post_embeddings e
  where e.post_id = r.id and e.model_id = 1 and e.chunk = 0 and e.text_hash = r.text_hash)`;

/** Whether a post has the vector of its current text. */
export async function hasPresentVector(db: Database, id: string): Promise<boolean> {
  const { rows } = await db.execute(
    sql`select from ${rowsSql(posts)} r where r.id = ${id}::bigint and ${isUpToDate}`,
  );
  return rows.length > 0;
}

/** How many posts have the vectors of their current texts. */
export async function countUpToDate(db: Database): Promise<number> {
  const { rows } = await db.execute<{ count: number }>(
    sql`select count(*)::int as count from ${rowsSql(posts)} r where ${isUpToDate}`,
  );
  return rows[0]?.count ?? 0;
}
