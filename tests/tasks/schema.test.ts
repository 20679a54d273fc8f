import { cosineDistance, sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { postEmbeddings } from "../../drizzle/schema.ts";
import { embedPost } from "../../lib/embeddings/embed-post.ts";
import { databaseForTests } from "./database.ts";

const database = databaseForTests();
const { insertPost, embeddingsOf } = database;

const axis = (place: number) => Array.from({ length: 1_536 }, (_, index) => (index === place ? 1 : 0));
const embedAs = (vector: number[]) => async () => ({ vectors: [vector], tokens: 1 });

it.each(["posts", "users"])("sends the whole old row of %s to Sequin", async (table) => {
  const { rows } = await database.db.execute(
    sql`select relreplident as identity from pg_class where oid = ${table}::regclass`,
  );
  expect(rows).toEqual([{ identity: "f" }]);
});

it.each([
  [
    "posts",
    sql`insert into posts (title, body, author, updated_at) values ('t', 'b', 'a', '2000-01-01')`,
    sql`update posts set author = 'b'`,
  ],
  [
    "users",
    sql`insert into users (first_name, last_name, email, updated_at) values ('f', 'l', 'f@example.com', '2000-01-01')`,
    sql`update users set last_name = 'm'`,
  ],
])("notes the time of an update of %s", async (table, insert, update) => {
  await database.db.execute(insert);
  await database.db.execute(update);
  const { rows } = await database.db.execute(
    sql`select bool_and(updated_at > now() - interval '1 hour') as recent from ${sql.identifier(table)}`,
  );
  expect(rows).toEqual([{ recent: true }]);
});

describe("an embedding", () => {
  it("follows its post to another id, and goes with it", async () => {
    const id = await insertPost();
    await embedPost(id, { embed: embedAs(axis(0)) });
    await database.db.execute(sql`update posts set id = 777 where id = ${id}`);
    expect(await embeddingsOf(777n)).toHaveLength(1);
    await database.deletePost(777n);
    expect(await embeddingsOf(777n)).toEqual([]);
  });

  it.each([
    ["of another width", sql`'[1,2,3]'`, 0],
    ["of a negative chunk", sql`array_fill(1, array[1536])::vector`, -1],
  ])("%s is refused", async (_, vector, chunk) => {
    const id = await insertPost();
    const insert = database.db.execute(
      sql`insert into post_embeddings (post_id, chunk, embedding, content_hash, model, tokens)
        values (${id}, ${chunk}, ${vector}, '', '', 1)`,
    );
    await expect(insert).rejects.toThrow();
    expect(await embeddingsOf(id)).toEqual([]);
  });
});

describe("the nearest neighbours of a vector", () => {
  const near = axis(5).map((number, place) => (place === 6 ? 0.1 : number));

  it("are found by cosine, nearest first", async () => {
    const ids = [];
    for (const place of [5, 6, 7]) {
      const id = await insertPost({ title: `Axis ${place}` });
      await embedPost(id, { embed: embedAs(axis(place)) });
      ids.push(id);
    }
    const rows = await database.db
      .select({ id: postEmbeddings.postId })
      .from(postEmbeddings)
      .orderBy(cosineDistance(postEmbeddings.embedding, near))
      .limit(2);
    expect(rows.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  });

  it("are read from the HNSW index", async () => {
    const plan = await database.db.transaction(async (tx) => {
      await tx.execute(sql`set local enable_seqscan = off`);
      const { rows } = await tx.execute(
        sql`explain select post_id from post_embeddings order by ${cosineDistance(postEmbeddings.embedding, near)} limit 5`,
      );
      return z.array(z.object({ "QUERY PLAN": z.string() })).parse(rows);
    });
    const lines = plan.map((row) => row["QUERY PLAN"]).join("\n");
    expect(lines).toContain("Index Scan using post_embeddings_embedding_hnsw");
    expect(lines).not.toContain("Sort");
  });
});
