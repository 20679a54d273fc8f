import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { GET } from "../../app/api/health/route.ts";
import { findFailingParts } from "../../lib/status/health.ts";
import { hang, startFaultyServer } from "../faulty-server.ts";
import { databaseForTests } from "../tasks/database.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { until } from "../until.ts";

const database = databaseForTests();
const KEY = "tr_dev_health";
// A busy machine is no failure.
const patient = { limitMs: 20_000 };
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
    const answer = await GET();
    return answer.ok ? answer : undefined;
  });
  expect(await response.json()).toEqual({ status: "ok" });
});

describe("what fails is named:", () => {
  it("a database that does not answer", async () => {
    vi.stubEnv("DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres");
    expect(await findFailingParts(patient)).toEqual(["database"]);
  });

  it("a migration that is not applied", async () => {
    const latest = sql`(select max(created_at) from drizzle.__drizzle_migrations)`;
    await database.db.execute(
      sql`update drizzle.__drizzle_migrations set created_at = -created_at where created_at = ${latest}`,
    );
    expect(await findFailingParts(patient)).toEqual(["migrations"]);
    await database.db.execute(
      sql`update drizzle.__drizzle_migrations set created_at = -created_at where created_at < 0`,
    );
    expect(await findFailingParts(patient)).toEqual([]);
  });

  it("a database without any migration", async () => {
    await database.db.execute(sql`alter schema drizzle rename to elsewhere`);
    expect(await findFailingParts(patient)).toEqual(["migrations"]);
    await database.db.execute(sql`alter schema elsewhere rename to drizzle`);
  });

  it("a Trigger.dev that refuses the key", async () => {
    vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_other");
    expect(await findFailingParts(patient)).toEqual(["trigger.dev"]);
  });

  it("a Trigger.dev that does not answer within 2 s, with 503 and no reason", async () => {
    const server = await startFaultyServer(hang);
    vi.stubEnv("TRIGGER_API_URL", server.url);
    const response = await until(async () => {
      const answer = await GET();
      return answer.ok ? undefined : answer;
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: "failing", failing: ["trigger.dev"] });
    await server.close();
  });
});
