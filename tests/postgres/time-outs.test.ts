import { type Client, DatabaseError } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connect, type Database, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { rootOf } from "../../packages/aftercommit/src/errors.ts";
import { startSession } from "../helpers/inbox/notes.ts";
import { type Cluster, startCluster } from "../helpers/own-cluster.ts";

/** The SQLSTATE that a query ends with. */
const codeOf = (query: Promise<unknown>) =>
  query.then(
    () => "answered",
    (error: unknown) => {
      const root = rootOf(error);
      return root instanceof DatabaseError ? root.code : root;
    },
  );

let cluster: Cluster;
let holder: Client;
let db: Database;

beforeAll(async () => {
  cluster = await startCluster();
  holder = await startSession(cluster.url);
  db = connect(cluster.url, { statementTimeoutMs: 8_000, poolSize: 1 });
  await db.execute("create table posts (author text); insert into posts values ('Alice')");
});
afterAll(async () => {
  await disconnect();
  await holder.end();
  await cluster.remove();
});

it("the product's pool gives up a lock that nobody lets go, and goes on", async () => {
  await holder.query("begin");
  await holder.query("lock table posts in access exclusive mode");
  expect(await codeOf(db.execute("update posts set author = 'Bob'"))).toBe("55P03");
  await holder.query("rollback");
  expect((await db.execute("update posts set author = 'Bob'")).rowCount).toBe(1);
});

it("the product's pool gives up a statement that does not end, and goes on", async () => {
  expect(await codeOf(db.execute("select pg_sleep(600)"))).toBe("57014");
  expect((await db.execute("select 1 as one")).rows).toEqual([{ one: 1 }]);
});

it("a transaction of the product's whose process has forgotten it is ended, so that its locks are free", async () => {
  const forgotten = db.transaction(async (tx) => {
    await tx.execute("update posts set author = 'Carol'");
    // Waits for the same row, until the server has ended the transaction that locks it.
    await holder.query("update posts set author = 'Dora'");
    await tx.execute("select 1");
  });
  await expect(forgotten).rejects.toThrow();
  expect((await db.execute("select author from posts")).rows).toEqual([{ author: "Dora" }]);
});
