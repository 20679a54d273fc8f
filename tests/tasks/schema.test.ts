import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { halfvec } from "../../drizzle/halfvec.ts";
import { embedRow } from "../../lib/embeddings/embed-row.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import type { EmbedTexts } from "../../lib/embeddings/provider.ts";
import { databaseForTests } from "./database.ts";

const database = databaseForTests();
const { insertPost, embeddingsOf } = database;

const axis = (place: number) => Float32Array.from({ length: 1_536 }, (_, index) => (index === place ? 1 : 0));

const insertVector = ({ post, model, vector }: { post: bigint; model: number; vector: Float32Array }) =>
  database.db.execute(sql`
    insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
    values (${post}, ${model}, 0, 1, md5('')::uuid, 0, 1, 1, ${halfvec(vector)}::halfvec)`);

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

it.each(["title", "body", "author", "id", "created_at"])(
  "notes the time of an update of %s",
  async (column) => {
    await database.db.execute(
      sql`insert into posts (id, title, body, author, updated_at) values (-1, 't', 'b', 'a', '2000-01-01')`,
    );
    const name = sql.identifier(column);
    await database.db.execute(sql`update posts set ${name} = ${name} where id = -1`);
    const { rows } = await database.db.execute(
      sql`delete from posts where id = -1 returning updated_at > '2001-01-01' as noted`,
    );
    expect(rows).toEqual([{ noted: true }]);
  },
);

describe("the hash of a post's text", () => {
  const hashOf = async (id: bigint) => {
    const { rows } = await database.db.execute<{ hash: string | null }>(
      sql`select text_hash as hash from posts where id = ${id}`,
    );
    return rows[0]?.hash;
  };

  it("is that of title and body, and follows them", async () => {
    const id = await insertPost({ title: "a", body: "b" });
    const { rows } = await database.db.execute<{ hash: string }>(sql`select md5(E'a\n\nb')::uuid as hash`);
    expect(await hashOf(id)).toBe(rows[0]?.hash);
    await database.updatePost(id, { body: "c" });
    expect(await hashOf(id)).not.toBe(rows[0]?.hash);
    await database.updatePost(id, { body: "b" });
    expect(await hashOf(id)).toBe(rows[0]?.hash);
  });

  it("is null where there is no text", async () => {
    expect(await hashOf(await insertPost({ title: "\u00a0", body: "\n\u3000" }))).toBeNull();
  });

  it("cannot be set by hand", async () => {
    const id = await insertPost();
    const hash = await hashOf(id);
    await database.db.execute(sql`update posts set text_hash = md5('forged')::uuid where id = ${id}`);
    expect(await hashOf(id)).toBe(hash);
  });
});

describe("an embedding", () => {
  const embed: EmbedTexts = async (_, texts) => ({ vectors: texts.map(() => axis(0)), tokens: 1, left: {} });

  it("follows its post to another id, and goes with it", async () => {
    const id = await insertPost();
    await embedRow(posts.of, String(id), null, { embed });
    await database.db.execute(sql`update posts set id = 777 where id = ${id}`);
    expect(await embeddingsOf(777n)).toHaveLength(1);
    await database.deletePost(777n);
    expect(await embeddingsOf(777n)).toEqual([]);
  });

  it("of a post or a model that is not there is refused", async () => {
    const id = await insertPost();
    for (const [post, model] of [
      [id, 99],
      [-5n, 1],
    ] as const)
      await expect(insertVector({ post, model, vector: axis(0) })).rejects.toThrow();
    expect(await embeddingsOf(id)).toEqual([]);
  });
});
