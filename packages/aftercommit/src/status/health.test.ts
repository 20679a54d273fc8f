import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { GET } from "@/app/api/health/route.ts";
import { answerWith, hang, startFaultyServer } from "@/tests/helpers/faulty-server.ts";
import { databaseForTests } from "@/tests/helpers/posts-database.ts";
import { declarations } from "@/tests/helpers/status-for-tests.ts";
import { startTriggerServer } from "@/tests/helpers/trigger-server.ts";
import { until } from "@/tests/helpers/until.ts";
import { database as connected } from "../db/database.ts";
import { findFailingParts, healthOf } from "./health.ts";

const database = databaseForTests();
const KEY = "tr_dev_health";
// A busy machine is not a failure.
const failing = () => findFailingParts(declarations, { db: connected, limitMs: 20_000 });
let trigger: Awaited<ReturnType<typeof startTriggerServer>>;

beforeAll(async () => {
  trigger = await startTriggerServer(KEY);
});
afterAll(() => trigger.close());
beforeEach(() => {
  vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
});
afterEach(() => vi.unstubAllEnvs());

it("is ok, and says nothing more, when everything answers", async () => {
  const response = await until(async () => {
    const answer = await GET(new Request("http://localhost/api/health"));
    return answer.ok ? answer : undefined;
  });
  expect(await response.json()).toEqual({ status: "ok" });
});

it("asks Trigger.dev once, however many requests arrive in the next 5 s", async () => {
  const server = await startFaultyServer(answerWith(500, "{}"));
  vi.stubEnv("TRIGGER_API_URL", server.url);
  const health = healthOf(declarations);
  expect(await health()).toEqual(["trigger.dev"]);
  await Promise.all([health(), health()]);
  expect(server.state.requests).toBe(1);
  await server.close();
});

const age = (by: string) =>
  database.db.execute(sql`update aftercommit.trigger_health set asked_at = asked_at - ${by}::interval`);

it("asks Trigger.dev every 30 s for all processes, and every 5 s after a failure", async () => {
  const queues = { data: [], pagination: { currentPage: 1, totalPages: 0, count: 0 } };
  let answer = answerWith(200, JSON.stringify(queues));
  const server = await startFaultyServer((...of) => answer(...of));
  vi.stubEnv("TRIGGER_API_URL", server.url);
  // None remembers what another was told.
  const fifty = () => Promise.all(Array.from({ length: 50 }, failing));
  expect(new Set((await fifty()).flat())).toEqual(new Set());
  expect(server.state.requests).toBe(1);
  await age("20 seconds");
  await fifty();
  expect(server.state.requests).toBe(1);

  answer = answerWith(500, "{}");
  await age("10 seconds");
  await failing();
  expect(server.state.requests).toBe(2);
  expect(new Set((await fifty()).flat())).toEqual(new Set(["trigger.dev"]));
  expect(server.state.requests).toBe(2);
  answer = answerWith(200, JSON.stringify(queues));
  await age("5 seconds");
  expect(await failing()).toEqual([]);
  expect(server.state.requests).toBe(3);
  await server.close();
});

it("a Trigger.dev that hangs fails for every process, not only for the one that asks", async () => {
  const server = await startFaultyServer(hang);
  vi.stubEnv("TRIGGER_API_URL", server.url);
  const other = () => findFailingParts(declarations, { db: connected, limitMs: 1_000 });
  expect(await until(async () => (await other()).find((part) => part === "trigger.dev"))).toBe("trigger.dev");
  await age("-1 hour");
  expect(await failing()).toEqual(["trigger.dev"]);
  expect(server.state.requests).toBe(1);
  await server.close();
});

describe("what fails is named:", () => {
  it("a database that does not answer", async () => {
    vi.stubEnv("DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres");
    expect(await failing()).toEqual(["database"]);
  });

  it("a migration that is not applied", async () => {
    await database.db.execute(sql`update aftercommit.migrations set name = name || '_of_tomorrow'`);
    expect(await failing()).toEqual(["migrations"]);
    await database.db.execute(
      sql`update aftercommit.migrations set name = replace(name, '_of_tomorrow', '')`,
    );
    expect(await failing()).toEqual([]);
  });

  it("a database without any migration", async () => {
    await database.db.execute(sql`alter schema aftercommit rename to elsewhere`);
    expect(await failing()).toEqual(["migrations"]);
    await database.db.execute(sql`alter schema elsewhere rename to aftercommit`);
  });

  it("a declaration that differs from the database's", async () => {
    const turn = sql`update aftercommit.sources set fingerprint = reverse(fingerprint) where name = 'post'`;
    await database.db.execute(turn);
    expect(await failing()).toEqual(["declarations"]);
    await database.db.execute(turn);
    expect(await failing()).toEqual([]);
  });

  it("a Trigger.dev that rejects the key", async () => {
    vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_other");
    expect(await failing()).toEqual(["trigger.dev"]);
  });

  it("a Trigger.dev that does not answer within 2 s, with 503 and no reason", async () => {
    const server = await startFaultyServer(hang);
    vi.stubEnv("TRIGGER_API_URL", server.url);
    const response = await until(async () => {
      const answer = await GET(new Request("http://localhost/api/health"));
      return answer.ok ? undefined : answer;
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: "failing", failing: ["trigger.dev"] });
    const live = await GET(new Request("http://localhost/api/health?live"));
    expect([live.status, await live.json()]).toEqual([200, { status: "ok" }]);
    await server.close();
  });
});
