import { DatabaseError } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Database, disconnect } from "../../drizzle/client.ts";
import { startMigratedPostgres } from "../postgres.ts";
import { realPostgres } from "../real-postgres.ts";
import { startWorker, type Worker } from "./worker.ts";

/** The SQLSTATE that a query ends with. */
const codeOf = (query: Promise<unknown>) =>
  query.then(
    () => "answered",
    ({ cause }: Error) => (cause instanceof DatabaseError ? cause.code : cause),
  );

describe.skipIf(!realPostgres)("the product's pool (needs TEST_DATABASE_URL)", () => {
  let database: Awaited<ReturnType<typeof startMigratedPostgres>>;
  let holder: Worker;
  let db: Database;

  beforeAll(async () => {
    database = await startMigratedPostgres();
    holder = await startWorker(database.url);
    db = connect(database.url, { statementTimeoutMs: 8_000, poolSize: 1 });
    await db.execute("insert into posts (title, body, author) values ('Title', 'Body', 'Alice')");
  });
  afterAll(async () => {
    await disconnect();
    await holder.end();
    await database.close();
  });

  it("gives up a lock that nobody lets go, and goes on", async () => {
    await holder.sql("begin");
    await holder.sql("lock table posts in access exclusive mode");
    expect(await codeOf(db.execute("update posts set author = 'Bob'"))).toBe("55P03");
    await holder.sql("rollback");
    expect((await db.execute("update posts set author = 'Bob'")).rowCount).toBe(1);
  });

  it("gives up a statement that does not end", async () => {
    expect(await codeOf(db.execute("select pg_sleep(600)"))).toBe("57014");
    expect((await db.execute("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("has a transaction ended whose process has forgotten it, so that its locks are free", async () => {
    const forgotten = db.transaction(async (tx) => {
      await tx.execute("update posts set author = 'Carol'");
      // Waits at the same row, until the server has ended the transaction that holds it.
      await holder.sql("update posts set author = 'Dora'");
      await tx.execute("select 1");
    });
    await expect(forgotten).rejects.toThrow();
    expect((await db.execute("select author from posts")).rows).toEqual([{ author: "Dora" }]);
  });
});
