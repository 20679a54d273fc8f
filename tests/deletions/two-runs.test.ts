import { describe, expect, it } from "vitest";
import { recordFirstRun } from "../../drizzle/queries/user-deletions.ts";
import { environmentOf } from "../../lib/deletions/environment-of.ts";
import { isHopeless } from "../../lib/deletions/errors.ts";
import type { DeletionSteps } from "../../lib/deletions/finish-deletion.ts";
import { ENVIRONMENT } from "./ledger.ts";
import { worldsForTests } from "./world.ts";

const worlds = worldsForTests();
const { world } = worlds;

describe("two runs of one deletion", () => {
  it.each(["QUEUED", "DELAYED", "DEQUEUED", "EXECUTING", "WAITING", "PENDING_VERSION"])(
    "do not overlap: the later one ends and names the one that is %s",
    async (status) => {
      const { userId, events, record, finish, statuses } = world({ broken: new Set(["crm"]) });
      await record();
      await expect(finish("run_1")).rejects.toThrow("Not clean");
      const before = await worlds.database.deletion(userId);
      statuses.run_1 = status;
      events.length = 0;
      expect(await finish("run_2")).toEqual({ userId, status: "under-way", holder: "run_1" });
      expect(events).toEqual([]);
      expect(await worlds.database.deletion(userId)).toEqual(before);
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
    const { userId, record, finish, broken, statuses } = world({ broken: new Set(["crm"]) });
    await record();
    await expect(finish("run_1")).rejects.toThrow("Not clean");
    broken.clear();
    if (status) statuses.run_1 = status;
    expect(await finish("run_2")).toMatchObject({ status: "complete" });
    expect((await worlds.database.deletion(userId)).runId).toBe("run_2");
  });

  it("that would take over at the same moment do the work once", async () => {
    const { userId, events, record, finish, broken, statuses } = world({ broken: new Set(["crm"]) });
    await record();
    await expect(finish("run_1")).rejects.toThrow("Not clean");
    broken.clear();
    events.length = 0;
    Object.assign(statuses, { run_1: "FAILED" });
    const newcomers = Array.from({ length: 6 }, (_, index) => `run_new_${index}`);
    for (const id of newcomers) statuses[id] = "EXECUTING";
    const results = await Promise.all(newcomers.map((id) => finish(id)));
    expect(events).toEqual(["crm", "mail"]);
    const { runId } = await worlds.database.deletion(userId);
    for (const [index, id] of newcomers.entries())
      if (id !== runId && results[index]?.status === "under-way")
        expect(results[index]).toEqual({ userId, status: "under-way", holder: runId });
  });

  it("that begin at the same moment, before any was recorded, do the work once", async () => {
    const { events, record, finish, statuses } = world();
    await record();
    const runs = Array.from({ length: 6 }, (_, index) => `run_${index}`);
    for (const id of runs) statuses[id] = "EXECUTING";
    await Promise.all(runs.map((id) => finish(id)));
    expect(events.toSorted()).toEqual(["billing", "crm", "mail"]);
  });

  it("leave to the one that took over what is written in the ledger", async () => {
    const { userId, record, finish, stepsOf, statuses } = world();
    await record();
    const late: DeletionSteps = {
      async cleanUp() {
        statuses.run_1 = "CANCELED";
        await finish("run_2", {
          steps: { ...stepsOf("run_2"), confirm: () => Promise.reject(new Error("later")) },
        }).catch(() => {});
        return [];
      },
      confirm: () => Promise.reject(new Error("the late one's")),
    };
    await expect(finish("run_1", { steps: late })).rejects.toThrow("the late one's");
    expect(await worlds.database.deletion(userId)).toMatchObject({ runId: "run_2", lastError: "later" });
  });
});

describe("a run in another environment of Trigger.dev", () => {
  it("refuses a deletion that one began, and touches nothing", async () => {
    const { userId, events, record, finish } = world({ broken: new Set(["crm"]) });
    await record();
    await expect(finish("run_1")).rejects.toThrow("Not clean");
    const before = await worlds.database.deletion(userId);
    expect(before.environment).toBe(ENVIRONMENT);
    events.length = 0;
    const error = await finish("run_2", { environment: "proj_tests/env_dev" }).catch((reason) => reason);
    expect(error.message).toBe(
      `The deletion of user ${userId} was begun by ${ENVIRONMENT}: only a run there may work on it`,
    );
    expect(isHopeless(error)).toBe(true);
    expect(events).toEqual([]);
    expect(await worlds.database.deletion(userId)).toEqual(before);
  });

  it("refuses one whose recorded run it does not know, before any has taken it", async () => {
    const { userId, record, finish, statuses } = world();
    await record();
    await recordFirstRun(worlds.database.db, userId, "run_1");
    const before = await worlds.database.deletion(userId);
    await expect(finish("run_2")).rejects.toThrow(`The deletion of user ${userId} was begun by run_1`);
    expect(await worlds.database.deletion(userId)).toEqual(before);
    statuses.run_1 = "CANCELED";
    expect(await finish("run_2")).toMatchObject({ status: "complete" });
  });

  it("is named by project and environment", () => {
    expect(environmentOf({ project: { ref: "proj_x" }, environment: { id: "env_y" } })).toBe("proj_x/env_y");
  });
});
