import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { embeddingModels } from "../../drizzle/embedding-tables.ts";
import { countRows, readCounts } from "../../drizzle/queries/embeddings/counts.ts";
import { countRowsBehind, findRowsBehind } from "../../drizzle/queries/embeddings/find-rows-behind.ts";
import { posts as postsTable } from "../../drizzle/schema.ts";
import { embedMany } from "../../lib/embeddings/embed-many.ts";
import { embedRow } from "../../lib/embeddings/embed-row.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import type { EmbedTexts } from "../../lib/embeddings/provider.ts";
import { rowsBehind } from "../../lib/embeddings/rows-behind.ts";
import { split } from "../../lib/embeddings/split.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { databaseForTests } from "./database.ts";

const database = databaseForTests({ ...FIRST_MODEL, dimensions: 4 });
const { insertPost, updatePost, deletePost } = database;

const embed: EmbedTexts = async (model, texts) => ({
  vectors: texts.map(() => new Float32Array(model.dimensions).fill(0.1)),
  tokens: texts.length,
  left: {},
});
const embedPost = (id: bigint) => embedRow(posts.of, String(id), null, { embed });

async function pages() {
  const found = [];
  for await (const page of rowsBehind(posts, database.db)) found.push(page);
  return found;
}

const behind = async () => (await pages()).flat();

/** A post of several chunks that is embedded. */
async function longPost(): Promise<bigint> {
  const id = await insertPost({ body: "lorem ipsum dolor ".repeat(2_000) });
  expect((await embedPost(id)).chunks).toBeGreaterThan(2);
  return id;
}

async function withModelBeingBuilt(work: (id: number) => Promise<void>): Promise<void> {
  const model = { name: "text-embedding-3-large", dimensions: 6, recipe: 1, indexType: "halfvec" as const };
  const [building] = await database.db
    .insert(embeddingModels)
    .values({ ...model, state: "building" })
    .returning({ id: embeddingModels.id });
  try {
    await work(building?.id ?? 0);
  } finally {
    await database.db.delete(postsTable);
    await database.db.delete(embeddingModels).where(sql`state = 'building'`);
  }
}

beforeEach(async () => {
  await database.db.delete(postsTable);
});

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

describe("more than a page of them", () => {
  beforeEach(async () => {
    await database.db.execute(
      sql`insert into posts (id, title, body, author) select n, 'Post ' || n, 'Body', 'Alice' from generate_series(1, 2234) n`,
    );
  });

  it("come 1,000 at a time, each once, in the order of their ids", async () => {
    const found = await pages();
    expect(found.map((page) => page.length)).toEqual([1_000, 1_000, 234]);
    expect(found.flat()).toEqual(Array.from({ length: 2_234 }, (_, index) => String(index + 1)));
  });

  it("come once each although rows are embedded, deleted and added between the pages", async () => {
    const found: string[] = [];
    for await (const page of rowsBehind(posts, database.db)) {
      if (found.length === 0) {
        await embedPost(3n);
        await embedPost(1_700n);
        await deletePost(1_701n);
        await insertPost({ id: 5_000n });
      }
      found.push(...page);
    }
    expect(new Set(found).size).toBe(found.length);
    expect(found).toHaveLength(2_234 - 2 + 1);
    for (const id of ["1700", "1701"]) expect(found).not.toContain(id);
    expect(found.at(-1)).toBe("5000");
  });

  it("are healed with exactly as many inputs as were damaged", async () => {
    const all = await behind();
    for (let start = 0; start < all.length; start += 1_000)
      await embedMany(posts.of, all.slice(start, start + 1_000), { embed });
    await database.db.execute(sql`delete from post_embeddings where post_id % 300 = 0`);
    await database.db.execute(
      sql`update post_embeddings set text_hash = md5('x')::uuid where post_id % 300 = 1`,
    );
    const damaged = await behind();
    expect(damaged).toHaveLength(7 + 8);
    const healed = await embedMany(posts.of, all.slice(0, 1_000).concat(damaged), { embed });
    expect(healed.tokens).toBe(damaged.length);
    expect(await behind()).toEqual([]);
  });
});

describe("while another model is being built", () => {
  it("a row is found by each model that lacks it, and once where both do", async () => {
    const embedded = await insertPost();
    await embedPost(embedded);
    await withModelBeingBuilt(async () => {
      const missing = await insertPost();
      expect(await behind()).toEqual([embedded, missing].map(String));
      await embedPost(missing);
      expect(await behind()).toEqual([String(embedded)]);
      await embedPost(embedded);
      expect(await behind()).toEqual([]);
    });
  });

  it("a run embeds by both, and tells what became of the row by the active one", async () => {
    await withModelBeingBuilt(async (building) => {
      const id = await insertPost();
      expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 2, model: FIRST_MODEL.name });
      const rows = await database.db.execute(
        sql`select model_id, vector_dims(embedding) as width from post_embeddings order by model_id`,
      );
      expect(rows.rows).toEqual([
        { model_id: 1, width: 4 },
        { model_id: building, width: 6 },
      ]);
      await updatePost(id, { body: "Another" });
      await embedPost(id);
      expect(await behind()).toEqual([]);
    });
  });

  it("pages of both hold each row once, in order", async () => {
    await withModelBeingBuilt(async () => {
      await database.db.execute(
        sql`insert into posts (id, title, body, author) select n, 'Post', 'Body', 'Alice' from generate_series(1, 1500) n`,
      );
      const odd = Array.from({ length: 750 }, (_, index) => String(2 * index + 1));
      await embedMany(posts.of, odd, { embed });
      const even = odd.map((id) => String(Number(id) + 1));
      expect(await behind()).toEqual(even);
      await database.db.execute(sql`delete from post_embeddings where model_id <> 1 and post_id < 100`);
      expect(await behind()).toEqual(
        [...even, ...odd.slice(0, 50)].toSorted((a, b) => Number(a) - Number(b)),
      );
    });
  });
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
