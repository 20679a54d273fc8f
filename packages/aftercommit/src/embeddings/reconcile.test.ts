import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { embeddingForTests, MODEL } from "@/tests/helpers/embedding.ts";
import { poisoned } from "@/tests/helpers/providers/strict-provider.ts";
import { reconcile } from "./reconcile.ts";

const tests = embeddingForTests();
const { database, provider, source, change, work, pending, inputs, insertPosts } = tests;

afterEach(() => void vi.restoreAllMocks());

type Options = Parameters<typeof reconcile>[2];
const reconcilePosts = async (options: Options = {}) => reconcile(database.db, await source(), options);
const ids = async () => (await pending()).map(({ id }) => id);
const full = { full: true };
const nothing = { missing: 0, orphaned: 0, stopped: false };

describe("a row without vectors", () => {
  it("is put into the inbox for the drain, and rows with vectors are not", async () => {
    const [embedded = ""] = await insertPosts(1);
    await work([embedded]);
    const far = await database.insertPost({ id: 9_007_199_254_740_993n });
    expect(await reconcilePosts()).toEqual({ ...nothing, missing: 1 });
    expect(await pending()).toMatchObject([{ id: String(far), queue: "batch", leased: false, attempts: 0 }]);
    await work();
    expect(await reconcilePosts()).toEqual(nothing);
  });

  it("whose text is blank is marked once, and not found again", async () => {
    await database.insertPost({ title: "", body: " " });
    expect(await reconcilePosts()).toMatchObject({ missing: 1 });
    await work();
    expect(await reconcilePosts()).toEqual(nothing);
    expect(await reconcilePosts(full)).toEqual(nothing);
    expect(inputs()).toEqual([]);
  });

  it("that is already in the inbox stays as it is", async () => {
    const [edit = "", failed = ""] = await insertPosts(2, (n) => (n === 1 ? "poison" : "fine"));
    provider.rule = poisoned({ named: true });
    await work([failed]);
    await change([edit], "realtime");
    const versions = () =>
      database.db.execute(
        sql`select row_id, version, queue, error, attempts from aftercommit.pending order by row_id`,
      );
    const before = (await versions()).rows;
    expect(await reconcilePosts()).toMatchObject({ missing: 0 });
    expect((await versions()).rows).toEqual(before);
  });

  it("for a model that is being built is also put there, once", async () => {
    const [whole = "", half = ""] = await insertPosts(2);
    await work([half]);
    const { rows } = await database.db.execute<{ id: number }>(sql`
      insert into aftercommit.models (name, dimensions, chunker, state, index_type)
      values ('text-embedding-3-large', 8, ${MODEL.chunker}, 'building', 'halfvec') returning id`);
    expect(await reconcilePosts()).toMatchObject({ missing: 2 });
    await work();
    expect((await database.embeddingsOf(BigInt(half))).map(({ modelId }) => modelId)).toEqual([
      1,
      rows[0]?.id,
    ]);
    expect(await database.embeddingsOf(BigInt(whole))).toHaveLength(2);
    expect(await reconcilePosts(full)).toEqual(nothing);
  });
});

describe("a row whose vectors are not those of its text", () => {
  it("is only found by a full comparison", async () => {
    const [stale = "", same = ""] = await insertPosts(2);
    await work([stale, same]);
    await database.updatePost(BigInt(stale), { body: "Changed while nobody looked" });
    await database.updatePost(BigInt(same), { author: "Bob" });
    expect(await reconcilePosts()).toEqual(nothing);
    expect(await reconcilePosts(full)).toEqual({ ...nothing, missing: 1 });
    expect(await ids()).toEqual([stale]);
  });

  it.each([
    [
      "one is of another text",
      sql`update post_embeddings set text_hash = md5('other')::uuid where chunk = 1`,
    ],
    ["all are of another text", sql`update post_embeddings set text_hash = md5('other')::uuid`],
    ["the first is missing", sql`delete from post_embeddings where chunk = 0`],
    ["one in between is missing", sql`delete from post_embeddings where chunk = 1`],
    ["the last is missing", sql`delete from post_embeddings where chunk = chunks - 1`],
    [
      "one too many is left",
      sql`insert into post_embeddings select (e).* from (
        select jsonb_populate_record(e, '{"chunk": 99}') as e from post_embeddings e where chunk = 0) as copied`,
    ],
  ])("because %s is found and embedded again", async (_, damage) => {
    const [id = ""] = await insertPosts(1, () => "lorem ipsum dolor ".repeat(2_000));
    await work([id]);
    const whole = await database.embeddingsOf(BigInt(id));
    expect(whole.length).toBeGreaterThan(2);
    await database.db.execute(damage);
    expect(await reconcilePosts(full)).toMatchObject({ missing: 1 });
    expect((await work()).statuses).toEqual(new Map([[id, "embedded"]]));
    expect(await reconcilePosts(full)).toEqual(nothing);
    const places = (rows: typeof whole) => rows.map(({ chunk, textHash }) => ({ chunk, textHash }));
    expect(places(await database.embeddingsOf(BigInt(id)))).toEqual(places(whole));
  });
});

describe("vectors without a row", () => {
  const insertOrphans = () =>
    database.db.execute(sql`
      insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
      select -n, 1, 0, 1, md5('')::uuid, 0, 1, 1, '[1,2,3,4,5,6,7,8]' from generate_series(1, 1001) n`);

  it("are removed by the drain, whether one row was deleted or all of them", async () => {
    const [deleted = "", ...others] = await insertPosts(3);
    await work([deleted, ...others]);
    await database.deletePost(BigInt(deleted));
    expect(await reconcilePosts()).toEqual({ ...nothing, orphaned: 1 });
    expect((await work()).statuses).toEqual(new Map([[deleted, "deleted"]]));
    await database.db.execute(sql`truncate posts`);
    expect(await reconcilePosts()).toEqual({ ...nothing, orphaned: 2 });
    await work();
    expect((await database.db.execute(sql`select from post_embeddings`)).rowCount).toBe(0);
  });

  it("that are more than a tenth of all stay until a person confirms; what is missing is put into the inbox", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    await insertOrphans();
    const [missing = ""] = await insertPosts(1);
    expect(await reconcilePosts()).toEqual({ missing: 1, orphaned: 1_001, stopped: true });
    expect(logged.mock.calls.flat().join()).toContain("reconcile.stopped");
    expect(await ids()).toEqual([missing]);
    expect(await reconcilePosts({ removeMany: true })).toEqual({ ...nothing, orphaned: 1_001 });
    expect(await ids()).toHaveLength(1_002);
  });

  it("are never all in this process's memory", async () => {
    await insertOrphans();
    const queried = vi.spyOn(database.db.$client, "query");
    expect(await reconcilePosts({ removeMany: true })).toMatchObject({ orphaned: 1_001 });
    const answers: { rows: unknown[] }[] = await Promise.all(queried.mock.results.map(({ value }) => value));
    for (const { rows } of answers) expect(JSON.stringify(rows).length).toBeLessThan(1_000);
    queried.mockRestore();
    expect(await ids()).toHaveLength(1_001);
  });
});

it("puts nothing into the inbox in a dry run, and says what it found", async () => {
  const [deleted = "", embedded = ""] = await insertPosts(2);
  await work([deleted, embedded]);
  await database.deletePost(BigInt(deleted));
  await database.updatePost(BigInt(embedded), { body: "stale" });
  await insertPosts(2);
  expect(await reconcilePosts({ full: true, dryRun: true })).toEqual({
    missing: 3,
    orphaned: 1,
    stopped: false,
  });
  expect(await ids()).toEqual([]);
});

it("hashes the texts of at most 1,000 rows in one statement", async () => {
  await database.db.execute(sql`
    insert into posts (title, body, author) select 'Post', 'Body ' || n, 'Alice' from generate_series(1, 1500) n`);
  const onProgress = vi.fn();
  expect(await reconcilePosts({ full: true, onProgress })).toMatchObject({ missing: 1_500 });
  expect(onProgress.mock.calls.flat()).toEqual([1_000, 500]);
});

it("records when it ran, and when it compared all texts", async () => {
  const times = async () =>
    (
      await database.db.execute(sql`select reconciled_at > now() - interval '1 minute' as partly,
        fully_reconciled_at > now() - interval '1 minute' as fully from aftercommit.sources where name = 'post'`)
    ).rows;
  await database.db.execute(
    sql`update aftercommit.sources set reconciled_at = null, fully_reconciled_at = null`,
  );
  await reconcilePosts({ full: true, dryRun: true });
  expect(await times()).toEqual([{ partly: null, fully: null }]);
  await reconcilePosts();
  expect(await times()).toEqual([{ partly: true, fully: null }]);
  await reconcilePosts(full);
  expect(await times()).toEqual([{ partly: true, fully: true }]);
});
