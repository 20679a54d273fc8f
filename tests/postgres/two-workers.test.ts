import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMigratedPostgres } from "../postgres.ts";
import { realPostgres } from "../real-postgres.ts";
import { until } from "../until.ts";
import { blocked, hashOf, startWorker, storedHashes, type Text, type Worker } from "./worker.ts";

const first: Text = { title: "The Future of AI", body: "It is bright." };
const second: Text = { ...first, body: "It is dark." };

describe.skipIf(!realPostgres)("workers on one post, side by side (needs TEST_DATABASE_URL)", () => {
  let database: Awaited<ReturnType<typeof startMigratedPostgres>>;
  let worker: Worker;
  let other: Worker;
  let holder: Worker;
  let watcher: Worker;

  beforeAll(async () => {
    database = await startMigratedPostgres();
    // Who waits longest for nothing finds a deadlock: it is always the worker.
    worker = await startWorker(database.url, "-c deadlock_timeout=100ms");
    other = await startWorker(database.url, "-c deadlock_timeout=1h");
    holder = await startWorker(database.url, "-c deadlock_timeout=1h");
    watcher = await startWorker(database.url);
  });
  afterAll(async () => {
    for (const { end } of [worker, other, holder, watcher]) await end();
    await database.close();
  });

  async function insertPost({ title, body }: Text): Promise<bigint> {
    const [row] = await watcher.sql(
      "insert into posts (title, body, author) values ($1, $2, 'Alice') returning id",
      [title, body],
    );
    return BigInt(row?.id);
  }

  const update = (of: Worker, id: bigint, { body }: Text) =>
    of.sql("update posts set body = $2 where id = $1", [id, body]);

  /** A post with vectors of its text, whose row of vectors the holder keeps from being written. */
  async function heldPost(): Promise<bigint> {
    const id = await insertPost(first);
    expect(await worker.writeVectors(id, first)).toBe("written");
    await holder.sql("begin");
    await holder.sql("select from post_embeddings where post_id = $1 for update", [id]);
    return id;
  }

  it("an update that comes between the check and the write waits for the write", async () => {
    const id = await heldPost();
    const writing = worker.writeVectors(id, first);
    await blocked(watcher, worker, holder);
    const updating = update(other, id, second);
    await blocked(watcher, other, worker);
    await holder.sql("rollback");
    expect(await writing).toBe("written");
    await updating;
    // The update's own run finds the row dirty.
    expect(await storedHashes(watcher, id)).toEqual([hashOf(first)]);
    expect(await worker.writeVectors(id, first)).toBe("superseded");
    expect(await worker.writeVectors(id, second)).toBe("written");
    expect(await storedHashes(watcher, id)).toEqual([hashOf(second)]);
  });

  it("an update that comes before the check is waited for, and the older text is not written", async () => {
    const id = await insertPost(first);
    await other.sql("begin");
    await update(other, id, second);
    const writing = worker.writeVectors(id, first);
    await blocked(watcher, worker, other);
    await other.sql("commit");
    expect(await writing).toBe("superseded");
    expect(await storedHashes(watcher, id)).toEqual([]);
  });

  it("a delete that comes before the check is waited for, and nothing is written", async () => {
    const id = await insertPost(first);
    await other.sql("begin");
    await other.sql("delete from posts where id = $1", [id]);
    const writing = worker.writeVectors(id, first);
    await blocked(watcher, worker, other);
    await other.sql("commit");
    expect(await writing).toBe("gone");
    expect(await storedHashes(watcher, id)).toEqual([]);
  });

  it("a delete that comes between the check and the write takes the vectors with it", async () => {
    const id = await heldPost();
    const writing = worker.writeVectors(id, first);
    await blocked(watcher, worker, holder);
    const deleting = other.sql("delete from posts where id = $1", [id]);
    await blocked(watcher, other, worker);
    await holder.sql("rollback");
    expect(await writing).toBe("written");
    await deleting;
    expect(await storedHashes(watcher, id)).toEqual([]);
  });

  it("a second worker waits for the first, and one set of vectors is left", async () => {
    const id = await heldPost();
    const writing = worker.writeVectors(id, first);
    await blocked(watcher, worker, holder);
    const writingToo = other.writeVectors(id, first);
    await blocked(watcher, other, worker);
    await holder.sql("rollback");
    expect(await Promise.all([writing, writingToo])).toEqual(["written", "written"]);
    expect(await storedHashes(watcher, id)).toEqual([hashOf(first)]);
  });

  it("a row that refers to the post does not wait for a worker on it", async () => {
    const id = await heldPost();
    await watcher.sql("create table comments (post_id bigint references posts)");
    const writing = worker.writeVectors(id, first);
    await blocked(watcher, worker, holder);
    await other.sql("insert into comments values ($1)", [id]);
    await holder.sql("rollback");
    expect(await writing).toBe("written");
    await watcher.sql("drop table comments");
  });

  it("the victim of a deadlock has written nothing, and does it when it is tried again", async () => {
    const id = await heldPost();
    await watcher.sql(
      `insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
       select post_id, model_id, 1, 2, text_hash, 1, 1, tokens, embedding from post_embeddings where post_id = $1`,
      [id],
    );
    await update(watcher, id, second);
    await other.sql("begin");
    await other.sql("select from post_embeddings where post_id = $1 and chunk = 1 for update", [id]);
    const failed = expect(worker.writeVectors(id, second)).rejects.toMatchObject({
      cause: { code: "40P01" },
    });
    // It has the post, and waits at the first row that it comes to; who has the other wants the post meanwhile.
    const [gate, partner] = await until(
      async () => {
        const [row] = await watcher.sql("select pg_blocking_pids($1) as pids", [worker.pid]);
        if (row?.pids.includes(holder.pid)) return [holder, other] as const;
        return row?.pids.includes(other.pid) && ([other, holder] as const);
      },
      { what: "worker waiting" },
    );
    const updating = partner.sql("update posts set author = 'Bob' where id = $1", [id]);
    await blocked(watcher, partner, worker);
    await gate.sql("rollback");
    await failed;
    await updating;
    await partner.sql("commit");
    expect(await storedHashes(watcher, id)).toEqual([hashOf(first), hashOf(first)]);
    expect(await worker.writeVectors(id, second)).toBe("written");
    expect(await storedHashes(watcher, id)).toEqual([hashOf(second)]);
  });

  it("a connection that is lost in the middle of the write leaves the old vectors, and holds nobody up", async () => {
    const id = await heldPost();
    await update(watcher, id, second);
    const losing = await startWorker(database.url);
    const writing = losing.writeVectors(id, second);
    const failed = expect(writing).rejects.toThrow();
    await blocked(watcher, losing, holder);
    await watcher.sql("select pg_terminate_backend($1)", [losing.pid]);
    await failed;
    await holder.sql("rollback");
    expect(await storedHashes(watcher, id)).toEqual([hashOf(first)]);
    await update(other, id, second);
    expect(await losing.writeVectors(id, second)).toBe("written");
    expect(await storedHashes(watcher, id)).toEqual([hashOf(second)]);
    await losing.end();
  });
});
