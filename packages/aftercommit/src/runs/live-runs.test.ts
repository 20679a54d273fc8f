import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { answerWith, startFaultyServer } from "@/tests/helpers/faulty-server.ts";
import { startTriggerServer } from "@/tests/helpers/trigger-server.ts";
import { liveRuns } from "./live-runs.ts";
import { statusOfRun } from "./status-of-run.ts";

afterEach(() => vi.unstubAllEnvs());

describe("asking Trigger.dev for runs", () => {
  let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
  beforeAll(async () => {
    trigger = await startTriggerServer("tr_dev_status");
  });
  beforeEach(() => {
    vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_status");
    vi.stubEnv("TRIGGER_API_URL", trigger.url);
  });
  afterAll(() => trigger.close());

  it("asks once for the status of a run that does not exist", async () => {
    const server = await startFaultyServer(answerWith(404, '{"error":"Run not found"}'));
    vi.stubEnv("TRIGGER_API_URL", server.url);
    expect(await statusOfRun("run_doesnotexist")).toBeUndefined();
    expect(server.state.requests).toBe(1);
    await server.close();
  });

  it("finds a run, and that another does not exist", async () => {
    const { runs, tasks } = await import("@trigger.dev/sdk");
    const { id } = await tasks.trigger("user-deletion-cleanup", { userId: randomUUID() });
    expect(await statusOfRun(id)).toMatch(/^(QUEUED|PENDING_VERSION)$/);
    await runs.cancel(id);
    expect(await statusOfRun(id)).toBe("CANCELED");
    expect(await statusOfRun("run_doesnotexist")).toBeUndefined();
  });

  it("lists the live runs of one task, over several pages", async () => {
    const { runs, tasks } = await import("@trigger.dev/sdk");
    const items = Array.from({ length: 120 }, () => ({ payload: {} }));
    await tasks.batchTrigger("account-deletion-cleanup", items);
    await tasks.trigger("another-task", {});
    const live = await liveRuns("account-deletion-cleanup");
    expect(live.size).toBe(120);
    const [first = ""] = live;
    await runs.cancel(first);
    expect((await liveRuns("account-deletion-cleanup")).has(first)).toBe(false);
  });
});
