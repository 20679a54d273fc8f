import type { Client } from "pg";
import { buildVectorIndex, createIndexConcurrently } from "../queries/embeddings/vector-index.ts";
import { chooseIndexType } from "./choose-index-type.ts";
import type { FirstModel } from "./first-model.ts";

const PAGE = 1_000;

type Progress = { filled: string | null; copied: string | null; done: boolean };

async function progressOf(client: Client): Promise<Progress> {
  const { rows } = await client.query<Progress>("select filled, copied, done from embedding_migration");
  return rows[0] ?? { filled: null, copied: null, done: true };
}

/** Calls back for each page of posts, in the order of their ids; each page is one short transaction. */
async function inPages(
  client: Client,
  after: string | null,
  what: string,
  say: (line: string) => void,
  work: (lowest: string, highest: string) => Promise<void>,
): Promise<void> {
  const { rows: totals } = await client.query<{ total: string }>(
    "select count(*) as total from posts where $1::bigint is null or id > $1",
    [after],
  );
  const total = Number(totals[0]?.total ?? 0);
  let done = 0;
  for (let last = after; ; ) {
    const { rows } = await client.query<{ lowest: string | null; highest: string; count: number }>(
      `select min(id) as lowest, max(id) as highest, count(*)::int as count
       from (select id from posts where $1::bigint is null or id > $1 order by id limit ${PAGE}) page`,
      [last],
    );
    const [page] = rows;
    if (!page?.lowest) return;
    await client.query("begin");
    await work(page.lowest, page.highest);
    await client.query("commit");
    last = page.highest;
    done += page.count;
    say(`${what}: ${done} of ${Math.max(done, total)} posts`);
  }
}

async function fillHashes(client: Client, after: string | null, say: (line: string) => void): Promise<void> {
  await inPages(client, after, "hashes", say, async (lowest, highest) => {
    await client.query(
      `update posts set text_hash = embedding_text_hash(post_text(posts)) where id between $1 and $2
       and text_hash is distinct from embedding_text_hash(post_text(posts))`,
      [lowest, highest],
    );
    await client.query("update embedding_migration set filled = $1", [highest]);
  });
}

async function copyVectors(client: Client, after: string | null, say: (line: string) => void): Promise<void> {
  // A vector bears the time at which its transaction began, which may be long before others see it.
  await client.query(
    "update embedding_migration set copied_since = now() - interval '10 minutes' where copied_since is null",
  );
  await inPages(client, after, "vectors", say, async (lowest, highest) => {
    await client.query("select embedding_migration_copy($1, $2, null)", [lowest, highest]);
    await client.query("update embedding_migration set copied = $1", [highest]);
  });
}

/** The model of which there are most vectors becomes the active one: those that search uses today stay in use. */
async function activateModelOfVectors(client: Client, fallback: FirstModel): Promise<void> {
  const { rows } = await client.query<{ model: string }>(
    "select model from post_embeddings group by model order by count(*) desc limit 1",
  );
  const name = rows[0]?.model ?? fallback.name;
  // Vectors of the previous version have 1,536 dimensions, and its chunks are those of the first recipe.
  const model = rows[0] ? { name, dimensions: 1536, recipe: 1 } : fallback;
  await client.query(
    `insert into embedding_models (name, dimensions, recipe, state, index_type, activated_at)
     select $1, $2, $3, 'active', $4, now() where not exists (select from embedding_models where state = 'active')`,
    [model.name, model.dimensions, model.recipe, await chooseIndexType(client, model.dimensions)],
  );
}

/**
 * Fills the hashes of the posts and copies their vectors, in pages, while the previous version serves; then builds the
 * indexes beside them. Interrupted, it goes on after the last page.
 */
export async function carryOverEmbeddings(
  client: Client,
  fallback: FirstModel,
  say: (line: string) => void,
): Promise<void> {
  const progress = await progressOf(client);
  if (progress.done) return;
  await fillHashes(client, progress.filled, say);
  await createIndexConcurrently(client, "posts_id_text_hash", "posts (id, text_hash)");
  await createIndexConcurrently(client, "posts_updated_at", "posts (updated_at, id)");
  await activateModelOfVectors(client, fallback);
  await copyVectors(client, progress.copied, say);
  const { rows } = await client.query<{ id: number; dimensions: number; index_type: "halfvec" | "vector" }>(
    "select id, dimensions, index_type from embedding_models where state = 'active'",
  );
  for (const { id, dimensions, index_type: indexType } of rows) {
    say("vectors: building the index");
    await buildVectorIndex(client, {
      table: "post_embeddings_next",
      namedAfter: "post_embeddings",
      id,
      dimensions,
      indexType,
    });
  }
  await client.query("update embedding_migration set done = true");
}
