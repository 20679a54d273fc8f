import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { userDeletions } from "../../drizzle/schema.ts";
import { lostDeletions, noteRun } from "../../lib/deletions/lost-deletions.ts";
import { statusOfRun } from "../../lib/runs/status-of-run.ts";
import { answerWith, startFaultyServer } from "../faulty-server.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { startDatabase } from "./database.ts";
import { ENVIRONMENT } from "./ledger.ts";

let database: Awaited<ReturnType<typeof startDatabase>>;

beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database.close());
beforeEach(() => database.db.delete(userDeletions).where(sql`true`));

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

async function add(changes: Partial<typeof userDeletions.$inferInsert>) {
  const userId = randomUUID();
  await database.db
    .insert(userDeletions)
    .values({ userId, runId: userId, environment: ENVIRONMENT, ...changes });
  return userId;
}

async function lost(status: string | undefined | Record<string, string>) {
  const found: string[] = [];
  const statusOf = async (runId: string) => (typeof status === "object" ? status[runId] : status);
  for await (const page of lostDeletions(statusOf, { environment: ENVIRONMENT, db: database.db }))
    found.push(...page.map(({ userId }) => userId));
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

  it("takes none that is complete", async () => {
    await add({ completedAt: new Date(), updatedAt: minutesAgo(61) });
    expect(await lost("CANCELED")).toEqual([]);
  });

  it("takes none that another environment began, whatever its run's id says here", async () => {
    await add({ environment: "proj_tests/env_other", updatedAt: minutesAgo(600) });
    for (const status of ["CANCELED", "FAILED", undefined]) expect(await lost(status)).toEqual([]);
  });

  it("takes one that no environment is known of only when its run is known here, and says which it leaves", async () => {
    const lines: string[] = [];
    vi.spyOn(console, "info").mockImplementation((line: string) => void lines.push(line));
    const known = await add({ environment: null, updatedAt: minutesAgo(600) });
    const unknown = await add({ environment: null, updatedAt: minutesAgo(600) });
    const none = await add({ environment: null, runId: null, updatedAt: minutesAgo(600) });
    expect(await lost({ [known]: "FAILED" })).toEqual([known]);
    // They are looked at side by side.
    expect(
      lines.map((line) => JSON.parse(line)).toSorted(({ userId }) => (userId === none ? 1 : -1)),
    ).toEqual([
      { event: "deletion.left_alone", userId: unknown, runId: unknown },
      { event: "deletion.left_alone", userId: none, runId: null },
    ]);
    vi.restoreAllMocks();
  });

  it("takes one whose address is refused ever more rarely: after as long as it has been refused", async () => {
    const add10 = (updated: number) =>
      add({ confirmationRefusedAt: minutesAgo(updated + 600), updatedAt: minutesAgo(updated) });
    await add10(599);
    const due = await add10(601);
    await add({ confirmationRefusedAt: minutesAgo(59), updatedAt: minutesAgo(59) });
    const first = await add({ confirmationRefusedAt: minutesAgo(61), updatedAt: minutesAgo(61) });
    expect((await lost("FAILED")).toSorted()).toEqual([due, first].toSorted());
  });

  it("goes through all of them, page by page", async () => {
    const rows = Array.from({ length: 250 }, (_, index) => ({ userId: randomUUID(), runId: `run_${index}` }));
    await database.db.insert(userDeletions).values(rows.map((row) => ({ ...row, environment: ENVIRONMENT })));
    const canceled = rows.filter((_, index) => index % 2 === 0);
    const status = Object.fromEntries(canceled.map(({ runId }) => [runId, "CANCELED"]));
    expect((await lost(status)).sort()).toEqual(canceled.map(({ userId }) => userId).sort());
  });

  it("leaves a resumed one alone while its new run lives", async () => {
    const userId = await add({});
    await noteRun({ userId, runId: userId }, { to: "run_new", environment: ENVIRONMENT, db: database.db });
    expect(await lost({ [userId]: "CANCELED", run_new: "QUEUED" })).toEqual([]);
  });

  it("does not take one from a run that took it meanwhile", async () => {
    const userId = await add({});
    const options = { environment: ENVIRONMENT, db: database.db };
    await noteRun({ userId, runId: userId }, { to: "run_replay", ...options });
    await noteRun({ userId, runId: userId }, { to: "run_resumed", ...options });
    expect((await database.deletion(userId)).runId).toBe("run_replay");
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
