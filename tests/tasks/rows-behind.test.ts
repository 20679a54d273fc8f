import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { countRows, readCounts } from "../../drizzle/queries/embeddings/counts.ts";
import { countRowsBehind, findRowsBehind } from "../../drizzle/queries/embeddings/find-rows-behind.ts";
import { posts as postsTable } from "../../drizzle/schema.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { split } from "../../lib/embeddings/split.ts";
import { behindForTests } from "./behind-for-tests.ts";

const { database, embedPost, behind } = behindForTests();
const { insertPost, updatePost } = database;

/** A post of several chunks that is embedded. */
async function longPost(): Promise<bigint> {
  const id = await insertPost({ body: "lorem ipsum dolor ".repeat(2_000) });
  expect((await embedPost(id)).chunks).toBeGreaterThan(2);
  return id;
}

describe("a post", () => {
  it("without vectors is found, and after its run no more", async () => {
    const id = await insertPost();
    expect(await behind()).toEqual([String(id)]);
    await embedPost(id);
    expect(await behind()).toEqual([]);
  });

  it.each([{ title: "Another" }, { body: "Another" }])("that changed in %j is found", async (change) => {
    const id = await insertPost();
    await embedPost(id);
    await updatePost(id, change);
    expect(await behind()).toEqual([String(id)]);
  });

  it("that changed in its author only is current", async () => {
    const id = await insertPost();
    await embedPost(id);
    await updatePost(id, { author: "Bob" });
    expect(await behind()).toEqual([]);
  });

  it("that lost its text is found until its old vectors are gone", async () => {
    const id = await insertPost();
    await embedPost(id);
    await updatePost(id, { title: "", body: " " });
    expect(await behind()).toEqual([String(id)]);
    await embedPost(id);
    expect(await behind()).toEqual([]);
  });

  it.each([
    [
      "one vector is of another text",
      sql`update post_embeddings set text_hash = md5('other')::uuid where chunk = 1`,
    ],
    ["the first is missing", sql`delete from post_embeddings where chunk = 0`],
    ["one in between is missing", sql`delete from post_embeddings where chunk = 1`],
    ["the last is missing", sql`delete from post_embeddings where chunk = chunks - 1`],
    [
      "one too many is left",
      sql`insert into post_embeddings select (e).* from (
      select jsonb_populate_record(e, '{"chunk": 99}') as e from post_embeddings e where chunk = 0) as copied`,
    ],
    ["all are of another text", sql`update post_embeddings set text_hash = md5('other')::uuid`],
  ])("of several chunks of which %s is found and mended", async (_, damage) => {
    const id = await longPost();
    const whole = await database.embeddingsOf(id);
    await database.db.execute(damage);
    expect(await behind()).toEqual([String(id)]);
    expect(await countRowsBehind(database.db, posts.of, 1)).toEqual({ behind: 1, all: 1 });
    expect((await embedPost(id)).status).toBe("embedded");
    expect(await behind()).toEqual([]);
    const chunks = (rows: typeof whole) => rows.map(({ chunk, textHash }) => ({ chunk, textHash }));
    expect(chunks(await database.embeddingsOf(id))).toEqual(chunks(whole));
  });

  it("that somebody else's trigger changes is found", async () => {
    const id = await insertPost({ title: "before" });
    await embedPost(id);
    await database.db.execute(sql`create function shout() returns trigger language plpgsql as
      $$ begin new.title = upper(new.title); return new; end $$`);
    await database.db.execute(
      sql`create trigger a_shout before update of author on posts for each row execute function shout()`,
    );
    await updatePost(id, { author: "Bob" });
    await database.db.execute(sql`drop function shout cascade`);
    expect(await behind()).toEqual([String(id)]);
  });
});

it("finds a post exactly when the splitter finds text in it, for every kind of white space", async () => {
  const spaces =
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff";
  const bodies = [
    "",
    ...spaces,
    ...spaces.split("").map((space) => `${space}x${space}`),
    "\u0085",
    "\u180e",
    "\u200b",
    "\u2060",
    "-",
    "\\",
  ];
  const ids = new Map<string, string>();
  for (const body of bodies) ids.set(String(await insertPost({ title: "", body })), body);
  const expected = [...ids].filter(([, body]) => split(body).length > 0).map(([id]) => id);
  expect(expected).toHaveLength(spaces.length + 6);
  expect(await behind()).toEqual(expected);
});

it("counts the rows of each state", async () => {
  for (let n = 0; n < 3; n += 1) await embedPost(await insertPost());
  await longPost();
  const stale = await insertPost();
  await embedPost(stale);
  await updatePost(stale, { body: "Another" });
  const emptied = await insertPost();
  await embedPost(emptied);
  await updatePost(emptied, { title: "", body: "" });
  const damaged = await longPost();
  await database.db.execute(sql`delete from post_embeddings where post_id = ${damaged} and chunk = 1`);
  for (let n = 0; n < 2; n += 1) await insertPost();
  await insertPost({ title: "", body: "" });
  await countRows(database.db, posts.of, 1);
  const counted = await readCounts(database.db, posts.of, 1);
  expect(counted?.counts).toEqual({ embedded: 4, pending: 2, stale: 3, empty: 1 });
  expect(await countRowsBehind(database.db, posts.of, 1)).toEqual({ behind: 5, all: 9 });
  await database.db.delete(postsTable);
  await countRows(database.db, posts.of, 1);
  const none = await readCounts(database.db, posts.of, 1);
  expect(none?.counts).toEqual({ embedded: 0, pending: 0, stale: 0, empty: 0 });
});

it("finds nothing in an empty table, and goes to the limit and no further", async () => {
  expect(await behind()).toEqual([]);
  for (let n = 0; n < 3; n += 1) await insertPost();
  expect(await findRowsBehind(database.db, posts.of, { modelIds: [1], limit: 2 })).toHaveLength(2);
});
