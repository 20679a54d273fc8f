import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect, type Database, disconnect } from "../../drizzle/client.ts";
import { readDeletion, recordDeletion, recordSystemClean } from "../../drizzle/queries/user-deletions.ts";
import { applyMigrations } from "../postgres-template.ts";
import { realPostgres } from "../real-postgres.ts";
import { startCluster } from "./own-cluster.ts";
import { blocked, hashOf, startWorker, storedHashes } from "./worker.ts";

const USER = "6f2c2a51-93a5-4f0a-8a52-3a9d4b3e6c11";
const post = { title: "The Future of AI", body: "It is bright." };

describe.skipIf(!realPostgres)("a database that goes away and comes back (needs TEST_DATABASE_URL)", () => {
  let cluster: Awaited<ReturnType<typeof startCluster>>;
  let db: Database;

  beforeAll(async () => {
    cluster = await startCluster();
    db = connect(cluster.url);
    await applyMigrations(cluster.url);
  });
  afterAll(async () => {
    await disconnect();
    await cluster.remove();
  });
  beforeEach(async () => {
    await db.execute("truncate user_deletions, posts cascade");
    await recordDeletion(db, {
      userId: USER,
      email: null,
      requiredSystems: ["webhook:crm", "webhook:billing"],
    });
  });

  it.each(["stop", "kill"] as const)(
    "after a %s, the pool gives an error and then recovers by itself",
    async (end) => {
      await recordSystemClean(db, USER, "webhook:crm");
      await cluster[end]();
      await expect(readDeletion(db, USER)).rejects.toThrow();
      await cluster.start();
      expect((await readDeletion(db, USER))?.systems).toMatchObject({
        "webhook:crm": { done_at: expect.any(String) },
      });
      await recordSystemClean(db, USER, "webhook:billing");
      expect(Object.keys((await readDeletion(db, USER))?.systems ?? {})).toHaveLength(2);
    },
  );

  it.each(["stop", "kill"] as const)(
    "a write that a %s interrupts is undone, and is done when it is tried again",
    async (end) => {
      const [holder, worker] = await Promise.all([startWorker(cluster.url), startWorker(cluster.url)]);
      const [row] = await holder.sql(
        "insert into posts (title, body, author) values ($1, $2, 'Alice') returning id",
        [post.title, post.body],
      );
      const id = BigInt(row?.id);
      await holder.sql("begin");
      await holder.sql("lock table post_embeddings in share mode");
      const failed = expect(worker.writeVectors(id, post)).rejects.toThrow();
      const watcher = await startWorker(cluster.url);
      await blocked(watcher, worker, holder);
      await cluster[end]();
      await failed;
      await cluster.start();
      expect(await storedHashes(watcher, id)).toEqual([]);
      expect(await worker.writeVectors(id, post)).toBe("written");
      expect(await storedHashes(watcher, id)).toEqual([hashOf(post)]);
      for (const each of [holder, worker, watcher]) await each.end();
    },
  );
});
