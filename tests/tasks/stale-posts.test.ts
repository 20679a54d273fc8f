import { runs } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { postEmbeddings, posts } from "../../drizzle/schema.ts";
import { embedPost } from "../../lib/embeddings/embed-post.ts";
import { split } from "../../lib/embeddings/split.ts";
import { stalePosts } from "../../lib/embeddings/stale-posts.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { databaseForTests } from "./database.ts";
import { executeTask, loadTasks, taskOf } from "./execute-task.ts";

const database = databaseForTests();
const { insertPost, updatePost, deletePost } = database;

const embed = async (chunks: readonly unknown[]) => ({
  vectors: chunks.map(() => new Array(1_536).fill(0.1)),
  tokens: chunks.length,
});

async function pages() {
  const found = [];
  for await (const page of stalePosts()) found.push(page);
  return found;
}

const staleIds = async () => (await pages()).flat();

beforeEach(async () => {
  await database.db.delete(posts);
});
afterEach(() => vi.unstubAllEnvs());

describe("a post", () => {
  it("without an embedding is found, and after its run no more", async () => {
    const id = await insertPost();
    expect(await staleIds()).toEqual([id]);
    await embedPost(id, { embed });
    expect(await staleIds()).toEqual([]);
  });

  it.each([{ title: "Another" }, { body: "Another" }])("that changed in %j is found", async (change) => {
    const id = await insertPost();
    await embedPost(id, { embed });
    await updatePost(id, change);
    expect(await staleIds()).toEqual([id]);
  });

  it("that changed in its author only is current", async () => {
    const id = await insertPost();
    await embedPost(id, { embed });
    await updatePost(id, { author: "Bob" });
    expect(await staleIds()).toEqual([]);
  });

  it("that lost its text is found until its old rows are gone", async () => {
    const id = await insertPost();
    await embedPost(id, { embed });
    await updatePost(id, { title: "", body: " " });
    expect(await staleIds()).toEqual([id]);
    await embedPost(id, { embed });
    expect(await staleIds()).toEqual([]);
  });

  it("of which one row of several is of another text is found", async () => {
    const id = await insertPost({ body: "lorem ipsum dolor ".repeat(2_000) });
    await embedPost(id, { embed });
    await database.db.update(postEmbeddings).set({ contentHash: "other" }).where(sql`chunk = 1`);
    expect(await staleIds()).toEqual([id]);
    expect((await embedPost(id, { embed })).status).toBe("embedded");
    expect(await staleIds()).toEqual([]);
  });
});

it("finds every post after a change of the model, and none when it changes back", async () => {
  const ids = [
    await insertPost(),
    await insertPost({ body: "Another" }),
    await insertPost({ title: "", body: "" }),
  ];
  for (const id of ids) await embedPost(id, { embed });
  vi.stubEnv("EMBEDDING_MODEL", "text-embedding-ada-002");
  expect(await staleIds()).toEqual(ids.slice(0, 2));
  vi.unstubAllEnvs();
  expect(await staleIds()).toEqual([]);
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
  const ids = new Map<bigint, string>();
  for (const body of bodies) ids.set(await insertPost({ title: "", body }), body);
  const expected = [...ids].filter(([, body]) => split(body).length > 0).map(([id]) => id);
  expect(expected).toHaveLength(spaces.length + 6);
  expect(await staleIds()).toEqual(expected);
});

describe("more than a page of them", () => {
  beforeEach(async () => {
    await database.db.execute(
      sql`insert into posts (id, title, body, author) select n, 'Post ' || n, 'Body', 'Alice' from generate_series(1, 1234) n`,
    );
  });

  it("come 500 at a time, each once, in the order of their ids", async () => {
    const found = await pages();
    expect(found.map((page) => page.length)).toEqual([500, 500, 234]);
    expect(found.flat()).toEqual(Array.from({ length: 1234 }, (_, index) => BigInt(index + 1)));
  });

  it("come once each although rows are embedded, deleted and added between the pages", async () => {
    const found: bigint[] = [];
    for await (const page of stalePosts()) {
      if (found.length === 0) {
        await embedPost(3n, { embed });
        await embedPost(700n, { embed });
        await deletePost(701n);
        await insertPost({ id: 5_000n });
      }
      found.push(...page);
    }
    expect(new Set(found).size).toBe(found.length);
    expect(found).toHaveLength(1234 - 2 + 1);
    for (const id of [700n, 701n]) expect(found).not.toContain(id);
    expect(found.at(-1)).toBe(5_000n);
  });
});

describe("the scheduled reconciliation", () => {
  let server: Awaited<ReturnType<typeof startTriggerServer>>;

  beforeAll(async () => {
    server = await startTriggerServer("tr_dev_reconcile");
    await loadTasks(() => import("../../trigger/reconcile-post-embeddings.ts"));
  });
  beforeEach(() => {
    vi.stubEnv("TRIGGER_API_URL", server.url);
    vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_reconcile");
  });
  afterAll(() => server.close());

  it("runs every ten minutes", () => {
    expect(taskOf("reconcile-post-embeddings")).toMatchObject({ schedule: { cron: "*/10 * * * *" } });
  });

  it("triggers a run for each post that is stale, and for no other", async () => {
    const ids = [await insertPost({ id: 9_007_199_254_740_993n }), await insertPost(), await insertPost()];
    for (const id of ids.slice(1)) await embedPost(id, { embed });
    await updatePost(ids[1] ?? 0n, { body: "Changed while nobody looked" });

    const timestamp = new Date("2026-01-02T03:00:00.000Z");
    const scheduled = { type: "DECLARATIVE", scheduleId: "s", timestamp, timezone: "UTC", upcoming: [] };
    expect(await executeTask("reconcile-post-embeddings", scheduled)).toMatchObject({ ok: true });

    const { data } = await runs.list({ taskIdentifier: "create-embedding-for-post" });
    const triggered = await Promise.all(data.map(({ id }) => runs.retrieve(id)));
    const tags = triggered.flatMap((run) => run.tags).toSorted();
    expect(tags).toEqual(
      ids
        .slice(0, 2)
        .map((id) => `post:${id}`)
        .toSorted(),
    );
    for (const { payload, tags, ttl } of triggered) {
      expect(payload).toEqual({ postId: tags[0]?.slice("post:".length), changedAt: null });
      expect(ttl).toBe("10m");
    }
  });
});
