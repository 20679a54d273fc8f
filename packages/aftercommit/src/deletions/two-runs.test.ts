import { describe, expect, it } from "vitest";
import { worldsForTests } from "@/tests/helpers/deletions/deletion-world.ts";
import { ENVIRONMENT } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { afterError } from "./errors.ts";
import type { DeletionSteps } from "./finish-deletion.ts";
import { recordFirstRun } from "./ledger.ts";
import { environmentOf } from "./tasks.ts";

const worlds = worldsForTests();
const { world } = worlds;

describe("two runs of one deletion", () => {
  it.each(["QUEUED", "DELAYED", "DEQUEUED", "EXECUTING", "WAITING", "PENDING_VERSION"])(
    "do not overlap: the later one ends and names the one that is %s",
    async (status) => {
      const { events, record, finish, statuses } = world({ broken: new Set(["crm"]) });
      const deletionId = await record();
      await expect(finish(deletionId, "run_1")).rejects.toThrow("Not clean");
      const before = await worlds.database.deletion(deletionId);
      statuses.run_1 = status;
      events.length = 0;
      expect(await finish(deletionId, "run_2")).toEqual({ deletionId, status: "under-way", owner: "run_1" });
      expect(events).toEqual([]);
      expect(await worlds.database.deletion(deletionId)).toEqual(before);
    },
  );

  it.each([
    "FAILED",
    "CANCELED",
    "CRASHED",
    "EXPIRED",
    "SYSTEM_FAILURE",
    "TIMED_OUT",
    "COMPLETED",
    undefined,
  ])("follow each other: the later one takes over from one that is %s", async (status) => {
    const { record, finish, broken, statuses } = world({ broken: new Set(["crm"]) });
    const deletionId = await record();
    await expect(finish(deletionId, "run_1")).rejects.toThrow("Not clean");
    broken.clear();
    if (status) statuses.run_1 = status;
    expect(await finish(deletionId, "run_2")).toMatchObject({ status: "complete" });
    expect((await worlds.database.deletion(deletionId)).run_id).toBe("run_2");
  });

  it("that take over at the same time do the work once", async () => {
    const { events, record, finish, broken, statuses } = world({ broken: new Set(["crm"]) });
    const deletionId = await record();
    await expect(finish(deletionId, "run_1")).rejects.toThrow("Not clean");
    broken.clear();
    events.length = 0;
    Object.assign(statuses, { run_1: "FAILED" });
    const newcomers = Array.from({ length: 6 }, (_, index) => `run_new_${index}`);
    for (const id of newcomers) statuses[id] = "EXECUTING";
    const results = await Promise.all(newcomers.map((id) => finish(deletionId, id)));
    expect(events).toEqual(["crm", "mail"]);
    const { run_id: runId } = await worlds.database.deletion(deletionId);
    for (const [index, id] of newcomers.entries())
      if (id !== runId && results[index]?.status === "under-way")
        expect(results[index]).toEqual({ deletionId, status: "under-way", owner: runId });
  });

  it("that begin at the same time, before any was recorded, do the work once", async () => {
    const { events, record, finish, statuses } = world();
    const deletionId = await record();
    const runs = Array.from({ length: 6 }, (_, index) => `run_${index}`);
    for (const id of runs) statuses[id] = "EXECUTING";
    await Promise.all(runs.map((id) => finish(deletionId, id)));
    expect(events.toSorted()).toEqual(["billing", "crm", "mail"]);
  });

  it("leave the ledger to the one that took over", async () => {
    const { record, finish, stepsOf, statuses } = world();
    const deletionId = await record();
    const late: DeletionSteps = {
      async cleanUp() {
        statuses.run_1 = "CANCELED";
        await finish(deletionId, "run_2", {
          steps: { ...stepsOf(deletionId, "run_2"), confirm: () => Promise.reject(new Error("later")) },
        }).catch(() => {});
        return [];
      },
      confirm: () => Promise.reject(new Error("the late one's")),
    };
    await expect(finish(deletionId, "run_1", { steps: late })).rejects.toThrow("the late one's");
    expect(await worlds.database.deletion(deletionId)).toMatchObject({
      run_id: "run_2",
      last_error: "later",
    });
  });
});

describe("a run in another environment of Trigger.dev", () => {
  it("rejects a deletion that one began, and touches nothing", async () => {
    const { events, record, finish } = world({ broken: new Set(["crm"]) });
    const deletionId = await record();
    await expect(finish(deletionId, "run_1")).rejects.toThrow("Not clean");
    const before = await worlds.database.deletion(deletionId);
    expect(before.environment).toBe(ENVIRONMENT);
    events.length = 0;
    const error = await finish(deletionId, "run_2", { environment: "proj_tests/env_dev" }).catch(
      (reason) => reason,
    );
    expect(error.message).toBe(
      `Deletion ${deletionId} was begun by ${ENVIRONMENT}: only a run there may work on it`,
    );
    expect(afterError({ error })).toEqual({ skipRetrying: true });
    expect(events).toEqual([]);
    expect(await worlds.database.deletion(deletionId)).toEqual(before);
  });

  it("rejects one whose recorded run it does not know, before any has taken it", async () => {
    const { record, finish, statuses } = world();
    const deletionId = await record();
    await recordFirstRun(worlds.database.db, deletionId, "run_1");
    const before = await worlds.database.deletion(deletionId);
    await expect(finish(deletionId, "run_2")).rejects.toThrow(`Deletion ${deletionId} was begun by run_1`);
    expect(await worlds.database.deletion(deletionId)).toEqual(before);
    statuses.run_1 = "CANCELED";
    expect(await finish(deletionId, "run_2")).toMatchObject({ status: "complete" });
  });

  it("is named by project and environment", () => {
    expect(environmentOf({ project: { ref: "proj_x" }, environment: { id: "env_y" } })).toBe("proj_x/env_y");
  });
});
