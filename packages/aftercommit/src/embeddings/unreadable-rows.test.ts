import { sql } from "drizzle-orm";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { embeddingForTests, MODEL } from "@/tests/helpers/embedding.ts";
import { defineEmbedding } from "../define.ts";
import { migrate } from "../migrate/migrate.ts";
import { drain } from "./drain.ts";
import { reconcile } from "./reconcile.ts";

const chosen = defineEmbedding({
  row: "post",
  table: "public.posts",
  key: "id",
  text: ["title", "body"],
  where: "author = 'Alice' or author::boolean",
});
const REASON = 'invalid input syntax for type boolean: "maybe"';

const { database, source, change, work, embedPost, pending, insertPosts, letTimeCome } = embeddingForTests(
  () => chosen,
);
let ids: string[];
let bad: string;

beforeAll(() =>
  migrate({ url: process.env.DATABASE_URL ?? "", declarations: [chosen, users], model: MODEL }),
);
beforeEach(async () => {
  ids = await insertPosts(40);
  bad = ids[25] ?? "";
  await database.updatePost(BigInt(bad), { author: "maybe" });
  // With statistics, the planner reads all of so small a table, the row at fault included.
  await database.db.execute(sql`analyze posts`);
});

const drainAll = () =>
  drain(chosen, { db: database.db, runId: "run_1", waitUntil: () => Promise.reject(new Error("waits")) });
const embedded = async () =>
  (
    await database.db.execute<{ id: string }>(
      sql`select distinct post_id::text as id from post_embeddings order by 1`,
    )
  ).rows.map(({ id }) => id);
const others = () => ids.filter((id) => id !== bad).toSorted();

it("a row on which `where` fails ends alone as failed, with the reason, and the rows of its batch are embedded", async () => {
  await change(ids, "batch");
  expect(await drainAll()).toMatchObject({ embedded: 39, failed: 1, left: false });
  expect(await embedded()).toEqual(others());
  expect(await pending()).toMatchObject([{ id: bad, error: REASON, leased: false, attempts: 1 }]);
});

it("a row that has failed so is tried less and less often, and is embedded once it can be read", async () => {
  await work([bad]);
  await letTimeCome();
  await work();
  expect(await pending()).toMatchObject([{ id: bad, error: REASON, attempts: 2 }]);
  await expect(embedPost(bad)).rejects.toThrow(REASON);
  await database.updatePost(BigInt(bad), { author: "yes" });
  await change([bad]);
  expect(await embedPost(bad)).toMatchObject({ status: "embedded" });
  expect(await pending()).toEqual([]);
});

it("a row on which `where` fails keeps what it had, which no one must pay for again", async () => {
  await database.updatePost(BigInt(bad), { author: "yes" });
  await work(ids);
  await database.updatePost(BigInt(bad), { author: "maybe" });
  await work([bad]);
  expect(await embedded()).toEqual(ids.toSorted());
  const { rows } = await database.db.execute(sql`select from aftercommit.post_words where post_id = ${bad}`);
  expect(rows).toHaveLength(1);
});

it.each([false, true])(
  "a reconciliation finds such a row and all others, once, with full=%s",
  async (full) => {
    const found = await reconcile(database.db, await source(), { full, dryRun: true });
    expect(found).toEqual({ missing: 40, orphaned: 0, stopped: false });
    expect(await reconcile(database.db, await source(), { full })).toEqual(found);
    expect((await pending()).map(({ id }) => id)).toEqual(ids);
    await drainAll();
    await database.deletePost(BigInt(ids[3] ?? ""));
    expect(await reconcile(database.db, await source(), { full })).toMatchObject({ missing: 0, orphaned: 1 });
    expect((await pending()).map(({ id }) => id)).toEqual([ids[3], bad]);
  },
);
