import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { embeddingForTests, paragraphs } from "@/tests/helpers/embedding.ts";
import { answerWith } from "@/tests/helpers/faulty-server.ts";
import { claimWakeUp } from "../inbox/drains.ts";
import { leaseRow } from "../inbox/lease.ts";
import { readModelsInUse } from "../models/models.ts";
import { PausedError } from "../providers/errors.ts";
import { drain } from "./drain.ts";
import { readRows } from "./read-rows.ts";
import { reconcile } from "./reconcile.ts";
import { writeWords } from "./write-words.ts";

const { database, provider, change, work, embedPost, insertPosts, pending, source } = embeddingForTests();

beforeEach(async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  await database.db.execute(sql`truncate aftercommit.post_words`);
});
afterEach(() => vi.restoreAllMocks());

/** The rows that are found by a word. */
async function having(word: string): Promise<string[]> {
  const { rows } = await database.db.execute<{ id: string }>(sql`
    select distinct post_id::text as id from aftercommit.post_words where words @@ ${word}::tsquery order by 1`);
  return rows.map(({ id }) => id);
}

const providerFails = () => {
  provider.rule = () => answerWith(500, '{"error":{"message":"It failed"}}');
};

const drainOnce = () =>
  drain(posts, { db: database.db, runId: "run_1", waitUntil: () => Promise.reject(new Error("waits")) });

describe("the words of a row", () => {
  it("are those of its present text", async () => {
    const [id = ""] = await insertPosts(1, () => "Dogs bark.");
    await embedPost(id);
    expect(await having("dog")).toEqual([id]);
    await database.updatePost(BigInt(id), { body: "Cats meow." });
    await embedPost(id);
    expect(await having("dog")).toEqual([]);
    expect(await having("cat")).toEqual([id]);
  });

  it("of a long text are in passages, each with the words of the title, as many as it has now", async () => {
    const [id = ""] = await insertPosts(1, () => `${paragraphs(4)} zebra`);
    await work([id]);
    const passages = async () =>
      (
        await database.db.execute<{ start: number; length: number }>(
          sql`select start, length from aftercommit.post_words where words @@ 'post'::tsquery order by passage`,
        )
      ).rows;
    const before = await passages();
    expect(before.length).toBeGreaterThan(3);
    for (const [index, { start }] of before.slice(1).entries()) {
      const { start: last = 0, length = 0 } = before[index] ?? {};
      expect(start).toBe(last + length);
    }
    await database.updatePost(BigInt(id), { body: "short" });
    await work([id]);
    expect(await passages()).toEqual([{ start: 0, length: "Post\n\nshort".length }]);
  });

  it("are removed with the row, and once a blank text has none", async () => {
    const [deleted = "", blank = ""] = await insertPosts(2, () => "Dogs bark.");
    await work([deleted, blank]);
    await database.deletePost(BigInt(deleted));
    await database.updatePost(BigInt(blank), { title: "", body: " " });
    await work([deleted, blank]);
    const { rows } = await database.db.execute(
      sql`select post_id::text as id, words::text from aftercommit.post_words`,
    );
    expect(rows).toEqual([{ id: blank, words: "" }]);
  });
});

describe("while the provider refuses everything", () => {
  beforeEach(providerFails);

  it("an edit's words are written before it is asked, and while its model is paused", async () => {
    const [first = "", second = ""] = await insertPosts(2, (n) => (n === 0 ? "Dogs bark." : "Cats meow."));
    await expect(embedPost(first)).rejects.toThrow();
    expect(await having("dog")).toEqual([first]);
    const requests = provider.requests.length;
    await expect(embedPost(second)).rejects.toThrow(PausedError);
    expect(await having("cat")).toEqual([second]);
    // The next attempt of its run does not end as if another worker had the row.
    await expect(embedPost(second)).rejects.toThrow(PausedError);
    expect(provider.requests).toHaveLength(requests);
  });

  it("a drain writes the words of all that is due, once, and keeps the entries for later", async () => {
    const ids = await insertPosts(700, (n) => `Word${n}`);
    await change(ids, "batch");
    await expect(drainOnce()).rejects.toThrow();
    expect(await having("post")).toHaveLength(700);
    expect(await pending()).toHaveLength(700);
    for (const entry of await pending())
      expect(entry).toMatchObject({ leased: false, attempts: 0, error: null });
    // Nothing is due for its words any more, so no drain is woken while the model is paused.
    await database.db.execute(sql`update aftercommit.pending set next_attempt = now()`);
    expect(await claimWakeUp(database.db, "post")).toBe(false);
    await database.updatePost(BigInt(ids[3] ?? ""), { body: "zebra" });
    await change([ids[3] ?? ""], "batch");
    expect(await claimWakeUp(database.db, "post")).toBe(true);
    await expect(drainOnce()).rejects.toThrow(PausedError);
    expect(await having("zebra")).toEqual([ids[3]]);
  });

  it("a deleted row loses its words", async () => {
    const [id = ""] = await insertPosts(1, () => "Dogs bark.");
    await expect(embedPost(id)).rejects.toThrow();
    await database.deletePost(BigInt(id));
    await database.db.execute(sql`truncate aftercommit.pending`);
    await embedPost(id);
    expect(await having("dog")).toEqual([]);
  });
});

it("a worker that has lost its lease writes no words", async () => {
  const [id = ""] = await insertPosts(1, () => "Dogs bark.");
  await change([id]);
  const lease = await leaseRow(database.db, "post", id);
  const { active } = await readModelsInUse(database.db);
  const rows = await readRows(database.db, await source(), lease.entries, [active]);
  await database.db.execute(sql`update aftercommit.pending set lease = gen_random_uuid()`);
  await writeWords(database.db, await source(), { token: lease.token, rows, isPaused: false });
  expect(await having("dog")).toEqual([]);
});

it("reconcile finds rows without words, rows with words of another text, and words without a row", async () => {
  const [lacks = "", other = "", orphan = ""] = await insertPosts(3, () => "Dogs bark.");
  await work([lacks, other, orphan]);
  await database.db.execute(sql`delete from aftercommit.post_words where post_id = ${lacks}`);
  await database.db.execute(
    sql`update aftercommit.post_words set text_hash = md5('')::uuid where post_id = ${other}`,
  );
  await database.deletePost(BigInt(orphan));
  await database.db.execute(sql`delete from post_embeddings where post_id = ${orphan}`);
  const found = await reconcile(database.db, await source());
  expect(found).toMatchObject({ missing: 1, orphaned: 1 });
  expect(await reconcile(database.db, await source(), { full: true })).toMatchObject({ missing: 1 });
  await work();
  expect(await reconcile(database.db, await source(), { full: true })).toMatchObject({
    missing: 0,
    orphaned: 0,
  });
  expect(await having("dog")).toEqual([lacks, other].toSorted());
  expect(provider.requests).toHaveLength(1);
});
