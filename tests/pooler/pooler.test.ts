import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { withLongConnection } from "../../packages/aftercommit/src/db/long-connection.ts";
import { rootOf } from "../../packages/aftercommit/src/errors.ts";
import { urlAs } from "../helpers/foreign/roles.ts";
import { startFreshPostgres } from "../helpers/postgres.ts";
import { runOn } from "../helpers/real-postgres.ts";

const port = process.env.TEST_POOLER_PORT ?? "";
const consoleUrl = `postgres://postgres@127.0.0.1:${port}/pgbouncer`;
const ROLE = "aftercommit_app";

describe("a connection pooler in transaction mode", () => {
  let postgres: Awaited<ReturnType<typeof startFreshPostgres>>;
  let pooled: string;

  beforeAll(async () => {
    postgres = await startFreshPostgres();
    await runOn(postgres.url, [
      `do $$ begin create role ${ROLE} login; exception when duplicate_object then null; end $$`,
      `alter role ${ROLE} password '${ROLE}'`,
    ]);
    pooled = Object.assign(new URL(urlAs(postgres.url, ROLE)), { port }).href;
  });
  afterAll(async () => {
    await disconnect();
    await postgres.close();
  });

  const refusal = () =>
    connect(pooled)
      .execute(sql`select 1`)
      .then(
        () => undefined,
        (error: unknown) => rootOf(error) as Error,
      );

  it("is refused until the role has the settings, with the statements for that", async () => {
    const error = await refusal();
    expect(error?.name).toBe("PoolerError");
    expect(error?.message).toContain(`alter role "${ROLE}" in database`);
    const statements = error?.message.match(/alter role [^;.]*/g) ?? [];
    expect(statements.map((statement) => / set (\w+) = /.exec(statement)?.[1])).toEqual(
      expect.arrayContaining(["statement_timeout", "lock_timeout", "DateStyle", "row_security"]),
    );
    await runOn(postgres.url, statements);
    await runOn(consoleUrl, ["reconnect"]);
    await disconnect();
    expect(await refusal()).toBe(undefined);
  });

  it("is refused for what needs a session, with the variable to set", async () => {
    await expect(withLongConnection(pooled, async () => "done")).rejects.toThrow(
      "Set DIRECT_DATABASE_URL to the database's own address",
    );
    const direct = urlAs(postgres.url, ROLE);
    expect(await withLongConnection(direct, async () => "done")).toBe("done");
  });
});
