import { runs } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { expect, it, vi } from "vitest";
import { deliver, newChange } from "@/tests/helpers/deliver.ts";
import { embeddingRouteForTests } from "@/tests/helpers/embedding-route.ts";
import { startTcpProxy } from "@/tests/helpers/tcp-proxy.ts";
import { until } from "@/tests/helpers/until.ts";

const { database, inbox, logged } = embeddingRouteForTests("database_down");
const change = () => newChange("02_posts_update", { record_pks: ["7"] });
const unavailable = { status: 503, body: { error: "The database did not take the rows; deliver again" } };

async function expectNoRun(): Promise<void> {
  expect((await runs.list({ limit: 100 })).data).toEqual([]);
}

it("a delivery is answered 503 while the database refuses connections, and nothing is triggered", async () => {
  vi.stubEnv("DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres");
  expect(await deliver(change())).toMatchObject(unavailable);
  expect(logged().join()).toContain("delivery.unavailable");
  await expectNoRun();
});

it("a delivery is answered 503 after 20 s while the database hangs, before Sequin retries", async () => {
  const proxy = await startTcpProxy({ port: 1 });
  proxy.goSilent();
  vi.stubEnv("DATABASE_URL", `postgres://postgres@127.0.0.1:${proxy.port}/postgres`);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  const answer = vi.fn();
  const delivery = deliver(change()).then(answer);
  await until(
    async () => {
      await vi.advanceTimersByTimeAsync(1_000);
      return answer.mock.calls.length > 0;
    },
    { what: "answer" },
  );
  await delivery;
  expect(answer.mock.calls[0]?.[0]).toMatchObject(unavailable);
  await proxy.close();
  await expectNoRun();
});

it("a delivery is answered 503 while the database accepts no writes, and the redelivery is accepted", async () => {
  await database.db.execute(sql`alter table aftercommit.pending rename to pending_elsewhere`);
  try {
    expect(await deliver(change())).toMatchObject(unavailable);
    await expectNoRun();
  } finally {
    await database.db.execute(sql`alter table aftercommit.pending_elsewhere rename to pending`);
  }
  expect(await deliver(change())).toMatchObject({ status: 200, body: { id: expect.any(String) } });
  expect(await inbox()).toHaveLength(1);
});

it("a delivery to a database that does not know the declaration is answered 500, and the log names the command", async () => {
  await database.db.execute(sql`update aftercommit.sources set name = 'former' where name = 'post'`);
  try {
    expect(await deliver(change())).toMatchObject({ status: 500, body: { error: "Internal error" } });
    expect(logged().join()).toContain("npx aftercommit migrate");
  } finally {
    await database.db.execute(sql`update aftercommit.sources set name = 'post' where name = 'former'`);
  }
});
