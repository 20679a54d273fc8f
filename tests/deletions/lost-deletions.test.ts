import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { userDeletions } from "../../drizzle/schema.ts";
import { lostDeletions, noteRun } from "../../lib/deletions/lost-deletions.ts";
import { statusOfRun } from "../../lib/deletions/status-of-run.ts";
import { answerWith, startFaultyServer } from "../faulty-server.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { startDatabase } from "./database.ts";

let database: Awaited<ReturnType<typeof startDatabase>>;

beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database.close());
beforeEach(() => database.db.delete(userDeletions).where(sql`true`));

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

async function add(changes: Partial<typeof userDeletions.$inferInsert>) {
  const userId = randomUUID();
  await database.db.insert(userDeletions).values({ userId, runId: userId, ...changes });
  return userId;
}

async function lost(status: string | undefined | Record<string, string>) {
  const found: string[] = [];
  const statusOf = async (runId: string) => (typeof status === "object" ? status[runId] : status);
  for await (const page of lostDeletions(statusOf, database.db)) found.push(...page);
  return found;
}

describe("finding deletions that nobody works on", () => {
  it.each(["CANCELED", "CRASHED", "EXPIRED", "SYSTEM_FAILURE"])(
    "takes one whose run is %s at once",
    async (status) => {
      const userId = await add({});
      expect(await lost(status)).toEqual([userId]);
    },
  );

  it.each(["FAILED", "TIMED_OUT", "COMPLETED", undefined])(
    "takes one whose run is %s after an hour without news",
    async (status) => {
      await add({ updatedAt: minutesAgo(59) });
      const quiet = await add({ updatedAt: minutesAgo(61) });
      expect(await lost(status)).toEqual([quiet]);
    },
  );

  it.each(["QUEUED", "DEQUEUED", "EXECUTING", "WAITING", "DELAYED", "PENDING_VERSION"])(
    "leaves one whose run is %s alone, however long it takes",
    async (status) => {
      await add({ updatedAt: minutesAgo(600) });
      expect(await lost(status)).toEqual([]);
    },
  );

  it("takes one without a run after an hour, and never one that is complete", async () => {
    const orphan = await add({ runId: null, updatedAt: minutesAgo(61) });
    await add({ runId: null, updatedAt: minutesAgo(59) });
    await add({ completedAt: new Date(), updatedAt: minutesAgo(61) });
    expect(await lost("CANCELED")).toEqual([orphan]);
  });

  it("goes through all of them, page by page", async () => {
    const rows = Array.from({ length: 250 }, (_, index) => ({ userId: randomUUID(), runId: `run_${index}` }));
    await database.db.insert(userDeletions).values(rows);
    const canceled = rows.filter((_, index) => index % 2 === 0);
    const status = Object.fromEntries(canceled.map(({ runId }) => [runId, "CANCELED"]));
    expect((await lost(status)).sort()).toEqual(canceled.map(({ userId }) => userId).sort());
  });

  it("leaves a resumed one alone while its new run lives", async () => {
    const userId = await add({});
    await noteRun(userId, "run_new", database.db);
    expect(await lost({ [userId]: "CANCELED", run_new: "QUEUED" })).toEqual([]);
  });
});

describe("asking Trigger.dev for a run's status", () => {
  let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
  beforeAll(async () => {
    trigger = await startTriggerServer("tr_dev_status");
  });
  beforeEach(() => {
    vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_status");
    vi.stubEnv("TRIGGER_API_URL", trigger.url);
  });
  afterAll(() => trigger.close());
  afterEach(() => vi.unstubAllEnvs());

  it("asks once for a run that does not exist", async () => {
    const server = await startFaultyServer(answerWith(404, '{"error":"Run not found"}'));
    vi.stubEnv("TRIGGER_API_URL", server.url);
    expect(await statusOfRun("run_doesnotexist")).toBeUndefined();
    expect(server.state.requests).toBe(1);
    await server.close();
  });

  it("knows a run, and that another does not exist", async () => {
    const { runs, tasks } = await import("@trigger.dev/sdk");
    const { id } = await tasks.trigger("user-deletion-cleanup", { userId: randomUUID() });
    expect(await statusOfRun(id)).toMatch(/^(QUEUED|PENDING_VERSION)$/);
    await runs.cancel(id);
    expect(await statusOfRun(id)).toBe("CANCELED");
    expect(await statusOfRun("run_doesnotexist")).toBeUndefined();
  });
});
