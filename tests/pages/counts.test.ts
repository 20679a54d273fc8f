import { runs } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { postEmbeddings } from "../../drizzle/embedding-tables.ts";
import { embed, statusForTests } from "./status-for-tests.ts";

const { database, embedPost, refuse, status, triggerRun } = statusForTests();
const { insertPost, updatePost } = database;

describe("the counts", () => {
  it("say how the vectors of each post stand to its text", async () => {
    const [changed, rewritten, emptied] = [await insertPost(), await insertPost(), await insertPost()];
    const many = await insertPost({ body: "lorem ipsum dolor ".repeat(2_000) });
    for (const id of [changed, rewritten, emptied, many]) await embedPost(id, { embed });
    await updatePost(changed, { author: "Bob" });
    await updatePost(rewritten, { body: "Another" });
    await updatePost(emptied, { title: "", body: "" });
    await insertPost();
    await insertPost({ title: " ", body: "\n" });
    const counts = { embedded: 2, pending: 1, stale: 2, empty: 1, failed: 0 };
    expect((await status()).counts).toMatchObject(counts);
    const textHash = "00000000-0000-0000-0000-000000000000";
    await database.db.update(postEmbeddings).set({ textHash }).where(sql`chunk = 1`);
    expect((await status()).counts).toMatchObject({ embedded: 1, stale: 3 });
  });

  it("take a pending or stale post for failed while its present text is refused", async () => {
    const [pending, stale, edited, fine] = [
      await insertPost({ body: "pending" }),
      await insertPost({ body: "stale" }),
      await insertPost({ body: "edited" }),
      await insertPost({ body: "fine" }),
    ];
    for (const id of [stale, fine]) await embedPost(id, { embed });
    await updatePost(stale, { body: "Another" });
    for (const id of [pending, stale, edited]) await refuse(id);
    await updatePost(edited, { body: "Mended" });
    const { counts, posts: shown } = await status();
    expect(counts).toMatchObject({ embedded: 1, pending: 1, stale: 0, empty: 0, failed: 2 });
    expect(new Map(shown.map(({ id, state }) => [id, state]))).toEqual(
      new Map([
        [String(stale), "failed"],
        [String(pending), "failed"],
        [String(edited), "pending"],
        [String(fine), "embedded"],
      ]),
    );
  });

  it("do not take runs that expired or were cancelled for failed posts", async () => {
    const id = await insertPost();
    await embedPost(id, { embed });
    const other = await insertPost();
    for (const post of [id, other]) await runs.cancel(await triggerRun(`post:${post}`));
    expect((await status()).counts).toMatchObject({ embedded: 1, pending: 1, failed: 0 });
  });

  it("find a failed post among many that changed after it, with the provider's words and the next try", async () => {
    const failed = await insertPost({ title: "Failed" });
    await refuse(failed, "Invalid 'input[0]': string too long.");
    for (let n = 0; n < 20; n += 1) await insertPost();
    const { counts, posts: shown } = await status();
    expect(counts).toMatchObject({ failed: 1, pending: 20 });
    expect(shown[0]).toMatchObject({
      title: "Failed",
      state: "failed",
      failure: { error: "Invalid 'input[0]': string too long.", tries: 1, nextTry: expect.any(Date) },
    });
    expect(shown).toHaveLength(12);
  });

  it("count all failed posts, however many there are", async () => {
    await database.db.execute(
      sql`insert into posts (title, body, author) select 'Post ' || n, 'Body', 'A' from generate_series(1, 300) n`,
    );
    await database.db.execute(sql`insert into embedding_failures (source, row_id, model_id, text_hash, error, tries, next_try)
      select 'posts', id::text, 1, text_hash, 'refused', 1, now() from posts`);
    expect((await status()).counts).toMatchObject({ failed: 300, pending: 0 });
  });
});
