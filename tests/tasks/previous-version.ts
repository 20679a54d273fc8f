import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { Client } from "pg";
import { z } from "zod";

const FIRST_OF_THIS_VERSION = "0007";
const journalSchema = z.looseObject({ entries: z.array(z.looseObject({ tag: z.string() })) });

/** The hash that the previous version kept with a vector. */
const HASH = `encode(sha256(convert_to('text-embedding-3-small' || E'\\n1536\\ntitle-body-v1\\n' || title || E'\\n\\n' || body, 'UTF8')), 'hex')`;

const vectorOf = (id: string) => `(select array_agg(sin(${id} * n)) from generate_series(1, 1536) n)::vector`;

/** What becomes of a post by its id, modulo 20; all others have one vector of their text. */
export const kinds = { pending: 0, stale: 1, blank: 2, long: 3, otherModel: 4, damaged: 5, emptied: 6 };

/** Brings an empty database to the version before vectors had a model, by drizzle's own migrator. */
async function migrateToPreviousVersion(client: Client): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "previous-version-"));
  await cp("drizzle/migrations", folder, { recursive: true });
  const file = join(folder, "meta/_journal.json");
  const journal = journalSchema.parse(JSON.parse(await readFile(file, "utf8")));
  const entries = journal.entries.filter(({ tag }) => tag < FIRST_OF_THIS_VERSION);
  await writeFile(file, JSON.stringify({ ...journal, entries }));
  await migrate(drizzle({ client }), { migrationsFolder: folder });
  await rm(folder, { recursive: true });
}

async function insertPosts(client: Client, count: number): Promise<void> {
  const { blank, emptied, long, damaged, otherModel, stale, pending } = kinds;
  await client.query(`drop index post_embeddings_embedding_hnsw`);
  await client.query(
    `insert into posts (id, title, body, author, updated_at)
     select n, case when n % 20 in (${blank}, ${emptied}) then ' ' else 'Post ' || n end,
       case when n % 20 in (${blank}, ${emptied}) then E'\\n\\t' else 'Body of ' || n end, 'Alice', '2020-01-01'
     from generate_series(1, ${count}) n`,
  );
  await client.query(
    `insert into post_embeddings (post_id, chunk, embedding, content_hash, model, tokens, updated_at)
     select id, chunk, vector, case when id % 20 in (${stale}, ${emptied}) then 'of another text' else ${HASH} end,
       case when id % 20 = ${otherModel} then 'another-model' else 'text-embedding-3-small' end, 7, '2020-01-01'
     from posts, lateral (select ${vectorOf("id")} as vector) v,
       generate_series(0, case when id % 20 in (${long}, ${damaged}) then 2 else 0 end) chunk
     where id % 20 not in (${pending}, ${blank}) and not (id % 20 = ${damaged} and chunk = 1)`,
  );
  await client.query(
    "create index post_embeddings_embedding_hnsw on post_embeddings using hnsw (embedding vector_cosine_ops)",
  );
}

/** A database of the previous version with posts of all kinds, and what that version does with it. */
export async function previousVersion(url: string, count: number) {
  const client = new Client({ connectionString: url });
  await client.connect();
  await migrateToPreviousVersion(client);
  await insertPosts(client, count);

  return {
    /** Its search: the posts nearest to the vector of one of them. */
    async search(id: number): Promise<number[]> {
      const { rows } = await client.query<{ id: string }>(
        `with nearest as (select post_id, content_hash, embedding <=> ${vectorOf("$1::int")} as distance
           from post_embeddings where model = 'text-embedding-3-small' order by 3 limit 40)
         select id from (select distinct on (post_id) * from nearest order by post_id, distance) best
         join posts on posts.id = best.post_id order by distance limit 10`,
        [id],
      );
      return rows.map((row) => Number(row.id));
    },
    /** Its worker, which embeds a post anew. */
    async embed(id: number, by = client): Promise<void> {
      await by.query("delete from post_embeddings where post_id = $1 and chunk > 0", [id]);
      await by.query(
        `insert into post_embeddings (post_id, chunk, embedding, content_hash, model, tokens)
         select id, 0, ${vectorOf("id")}, ${HASH}, 'text-embedding-3-small', 7 from posts where id = $1
         on conflict (post_id, chunk) do update set embedding = excluded.embedding, model = excluded.model,
           content_hash = excluded.content_hash, tokens = excluded.tokens, updated_at = now()`,
        [id],
      );
    },
    query: client.query.bind(client),
    end: () => client.end(),
  };
}
