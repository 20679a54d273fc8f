import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startFreshPostgres } from "@/tests/helpers/postgres.ts";
import { startTcpProxy } from "@/tests/helpers/tcp-proxy.ts";
import { connect, disconnect } from "./client.ts";

const POOL = 3;
let postgres: Awaited<ReturnType<typeof startFreshPostgres>>;
let proxy: Awaited<ReturnType<typeof startTcpProxy>>;

beforeAll(async () => {
  postgres = await startFreshPostgres();
});
afterAll(() => postgres.close());
beforeEach(async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  proxy = await startTcpProxy({ port: Number(new URL(postgres.url).port) });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await disconnect();
  await proxy.close();
});

/** The database behind the proxy. */
const url = () => Object.assign(new URL(postgres.url), { port: String(proxy.port) }).href;
/** With short timeouts. */
const database = () => connect(url(), { statementTimeoutMs: 300, poolSize: POOL });
const query = async () => (await database().execute<{ n: number }>(sql`select 1 as n`)).rows;
const transaction = () =>
  database().transaction(async (tx) => (await tx.execute<{ n: number }>(sql`select 1 as n`)).rows);
const times = <T>(work: () => Promise<T>) => Promise.all(Array.from({ length: POOL }, work));
const causeOf = (error: unknown): unknown =>
  error instanceof Error && error.cause ? causeOf(error.cause) : error;
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error) => causeOf(error),
  );

describe.each([
  ["query", query],
  ["transaction", transaction],
])("a %s", (_, ask) => {
  it("ends with an error while no connection is answered, and everything works afterwards", async () => {
    proxy.goSilent();
    for (const error of await times(() => failure(ask()))) expect(error).toBeInstanceOf(Error);
    proxy.recover();
    expect(await times(ask)).toEqual(new Array(POOL).fill([{ n: 1 }]));
  });

  it("ends with an error when its connection goes silent, and everything works afterwards", async () => {
    await times(ask);
    proxy.goSilent();
    for (const error of await times(() => failure(ask()))) expect(error).toBeInstanceOf(Error);
    proxy.recover();
    expect(await times(ask)).toEqual(new Array(POOL).fill([{ n: 1 }]));
  });

  it("works when the server was restarted in the meantime", async () => {
    await times(ask);
    await postgres.restart();
    await times(() => failure(ask()));
    expect(await times(ask)).toEqual(new Array(POOL).fill([{ n: 1 }]));
  });
});

it("a restart of the server during a transaction is an error, and does not end the process", async () => {
  const error = await failure(
    database().transaction(async (tx) => {
      await tx.execute(sql`select 1`);
      await postgres.restart();
      await tx.execute(sql`select 1`);
    }),
  );
  expect(error).toBeInstanceOf(Error);
  expect(await times(transaction)).toEqual(new Array(POOL).fill([{ n: 1 }]));
});

describe("the server itself ends", () => {
  const setting = async (name: string, options = {}) => {
    const db = connect(url(), options);
    return (await db.execute(sql`select current_setting(${name}) as value`)).rows[0]?.value;
  };

  it("a statement after 10 s, a wait for a lock after 5 s, and an idle transaction after 10 s", async () => {
    expect(await setting("statement_timeout")).toBe("10s");
    expect(await setting("lock_timeout")).toBe("5s");
    expect(await setting("idle_in_transaction_session_timeout")).toBe("10s");
  });

  it("no statement without a timeout, such as building an index", async () => {
    expect(await setting("statement_timeout", { statementTimeoutMs: 0 })).toBe("0");
    expect(await setting("statement_timeout")).toBe("10s");
  });
});
