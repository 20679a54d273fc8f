import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { recordDeletion, recordFirstRun, recordSystemClean } from "../../drizzle/queries/user-deletions.ts";
import { userDeletions } from "../../drizzle/schema.ts";
import { cleanUpSystem } from "../../lib/deletions/clean-up-system.ts";
import { environmentOf } from "../../lib/deletions/environment-of.ts";
import { isHopeless, StepError } from "../../lib/deletions/errors.ts";
import type { ExternalSystem } from "../../lib/deletions/external-system.ts";
import { type DeletionSteps, finishDeletion } from "../../lib/deletions/finish-deletion.ts";
import { sendConfirmation } from "../../lib/deletions/send-confirmation.ts";
import { startDatabase } from "./database.ts";
import { ENVIRONMENT } from "./ledger.ts";

const { signal } = new AbortController();

let database: Awaited<ReturnType<typeof startDatabase>>;

beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database.close());

beforeEach(() => {
  vi.stubEnv("DATABASE_URL", database.url);
  vi.stubEnv("MAIL_FROM", "no-reply@example.com");
  for (const level of ["info", "warn"] as const) vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Systems, steps in this process, runs of which the statuses are known, and what was done in which order. */
function world({ broken = new Set<string>(), email = "to@example.com" as string | null } = {}) {
  const events: string[] = [];
  const system = (name: string): ExternalSystem => ({
    name,
    async cleanUp() {
      events.push(name);
      if (broken.has(name)) throw new StepError(`${name} is down`);
    },
  });
  const configured = ["crm", "billing"];
  const systems = () => configured.map(system);
  const statuses: Record<string, string> = {};
  const userId = randomUUID();
  const send = async () => void events.push("mail");
  const stepsOf = (runId: string): DeletionSteps => {
    const run = { userId, runId, environment: ENVIRONMENT, signal };
    return {
      async cleanUp(names) {
        const attempts = names.map((name) => cleanUpSystem({ ...run, system: name }, { systems }));
        const results = await Promise.allSettled(attempts);
        return names.flatMap((name, index) => {
          const result = results[index];
          return result?.status === "rejected" ? [{ system: name, error: result.reason.message }] : [];
        });
      },
      confirm: async () => (await sendConfirmation(run, { send })).confirmation,
    };
  };
  return {
    userId,
    events,
    broken,
    configured,
    statuses,
    stepsOf,
    record: () => recordDeletion(database.db, { userId, email, requiredSystems: ["crm", "billing"] }),
    finish: (runId = "run_1", { environment = ENVIRONMENT, steps = stepsOf(runId) } = {}) =>
      finishDeletion({ userId, runId, environment }, steps, {
        systems,
        statusOf: async (id) => statuses[id],
      }),
  };
}

describe("a deletion", () => {
  it("cleans all systems, then sends the e-mail, and is complete", async () => {
    const { userId, events, record, finish } = world();
    await record();
    expect(await finish()).toEqual({
      userId,
      status: "complete",
      systems: { crm: "clean", billing: "clean" },
      confirmation: "sent",
    });
    expect(events.slice(0, 2).sort()).toEqual(["billing", "crm"]);
    expect(events.slice(2)).toEqual(["mail"]);
    const deletion = await database.deletion(userId);
    expect(deletion).toMatchObject({ email: null, lastError: null, runId: "run_1" });
    expect(deletion.completedAt).toBeInstanceOf(Date);
  });

  it("does nothing when it is complete, and keeps the run that completed it", async () => {
    const { userId, events, record, finish } = world();
    await record();
    await finish();
    expect(await finish("run_2")).toEqual({
      userId,
      status: "complete",
      systems: { crm: "already-clean", billing: "already-clean" },
      confirmation: "already-sent",
    });
    expect(events).toHaveLength(3);
    expect((await database.deletion(userId)).runId).toBe("run_1");
  });

  it("lets the other systems end when one fails, sends no e-mail, and says which failed", async () => {
    const { userId, events, record, finish } = world({ broken: new Set(["crm"]) });
    await record();
    const error = await finish().catch((reason) => reason);
    expect(error.message).toBe("Not clean: crm (crm is down)");
    expect(isHopeless(error)).toBe(true);
    expect(events.sort()).toEqual(["billing", "crm"]);
    const deletion = await database.deletion(userId);
    expect(deletion).toMatchObject({ lastError: error.message, completedAt: null, confirmationSentAt: null });
    expect(deletion.email).toBe("to@example.com");
    expect(deletion.systems).toMatchObject({
      billing: { done_at: expect.any(String) },
      crm: { error: "crm is down" },
    });
  });

  it("goes on, when it is run again, with what is left", async () => {
    const { userId, events, record, finish, broken, statuses } = world({ broken: new Set(["crm"]) });
    await record();
    await expect(finish()).rejects.toThrow("Not clean");
    statuses.run_1 = "FAILED";
    broken.clear();
    events.length = 0;
    expect(await finish("run_2")).toEqual({
      userId,
      status: "complete",
      systems: { crm: "clean", billing: "already-clean" },
      confirmation: "sent",
    });
    expect(events).toEqual(["crm", "mail"]);
    expect(await database.deletion(userId)).toMatchObject({ lastError: null, runId: "run_2" });
  });

  it("is complete without an e-mail where there is no address", async () => {
    const { userId, events, record, finish } = world({ email: null });
    await record();
    expect(await finish()).toMatchObject({ confirmation: "no-address" });
    expect(events).not.toContain("mail");
    expect((await database.deletion(userId)).completedAt).toBeInstanceOf(Date);
    expect(await finish()).toMatchObject({ confirmation: "no-address" });
  });

  it("is not begun for a user of whom no deletion is recorded", async () => {
    const { userId, events, finish } = world();
    const error = await finish().catch((reason) => reason);
    expect(error.message).toBe(`No deletion of user ${userId} is recorded`);
    expect(isHopeless(error)).toBe(true);
    expect(events).toEqual([]);
  });

  it("keeps the newer run when the handle of a repeated trigger call names an older one", async () => {
    const { userId, record } = world();
    await record();
    await recordFirstRun(database.db, userId, "run_new");
    await recordFirstRun(database.db, userId, "run_old");
    expect((await database.deletion(userId)).runId).toBe("run_new");
  });
});

describe("the systems that a deletion has to tell", () => {
  it("are those of its acceptance: one that the task lacks leaves it open, named, and unconfirmed", async () => {
    const { userId, events, record, finish, configured } = world();
    await record();
    configured.shift();
    const error = await finish().catch((reason) => reason);
    expect(error.message).toBe("Not clean: crm (not configured where the task runs)");
    expect(events).toEqual(["billing"]);
    const deletion = await database.deletion(userId);
    expect(deletion).toMatchObject({ completedAt: null, confirmationSentAt: null, lastError: error.message });
    expect(deletion.systems).toMatchObject({
      crm: { error: "not configured where the task runs" },
      billing: { done_at: expect.any(String) },
    });
    configured.push("crm");
    expect(await finish()).toMatchObject({ systems: { crm: "clean", billing: "already-clean" } });
  });

  it("are not those that are configured later", async () => {
    const { events, record, finish, configured } = world();
    await record();
    configured.push("analytics");
    expect(await finish()).toMatchObject({ systems: { crm: "clean", billing: "clean" } });
    expect(events).not.toContain("analytics");
  });

  it("are decided by the first run where an older version accepted, and what is done stays done", async () => {
    const { userId, events, finish, configured } = world({ broken: new Set(["billing"]) });
    await database.db.insert(userDeletions).values({ userId });
    await recordSystemClean(database.db, userId, "crm");
    await expect(finish()).rejects.toThrow("Not clean: billing");
    expect((await database.deletion(userId)).requiredSystems).toEqual(["crm", "billing"]);
    configured.push("analytics");
    await expect(finish()).rejects.toThrow("Not clean: billing");
    expect(events).toEqual(["billing", "billing"]);
  });

  it("are named as missing where an older version accepted and none are configured", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "");
    const { userId, stepsOf } = world();
    await database.db.insert(userDeletions).values({ userId });
    const run = { userId, runId: "run_1", environment: ENVIRONMENT };
    const error = await finishDeletion(run, stepsOf("run_1")).catch((reason) => reason);
    expect(isHopeless(error)).toBe(true);
    expect(await database.deletion(userId)).toMatchObject({
      completedAt: null,
      requiredSystems: null,
      lastError: expect.stringContaining("USER_DELETION_WEBHOOK_URLS is not set"),
    });
  });

  it("are all recorded as clean before it is complete, whatever its steps say", async () => {
    const { userId, record, finish } = world({ email: null });
    await record();
    const steps: DeletionSteps = { cleanUp: async () => [], confirm: async () => "sent" };
    await expect(finish("run_1", { steps })).rejects.toThrow("The ledger does not agree");
    expect((await database.deletion(userId)).completedAt).toBeNull();
  });
});

describe("two runs of one deletion", () => {
  it.each(["QUEUED", "DELAYED", "DEQUEUED", "EXECUTING", "WAITING", "PENDING_VERSION"])(
    "do not overlap: the later one ends and names the one that is %s",
    async (status) => {
      const { userId, events, record, finish, statuses } = world({ broken: new Set(["crm"]) });
      await record();
      await expect(finish("run_1")).rejects.toThrow("Not clean");
      const before = await database.deletion(userId);
      statuses.run_1 = status;
      events.length = 0;
      expect(await finish("run_2")).toEqual({ userId, status: "under-way", holder: "run_1" });
      expect(events).toEqual([]);
      expect(await database.deletion(userId)).toEqual(before);
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
    expect((await database.deletion(userId)).runId).toBe("run_2");
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
    const { runId } = await database.deletion(userId);
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
    expect(await database.deletion(userId)).toMatchObject({ runId: "run_2", lastError: "later" });
  });
});

describe("a run in another environment of Trigger.dev", () => {
  it("refuses a deletion that one began, and touches nothing", async () => {
    const { userId, events, record, finish } = world({ broken: new Set(["crm"]) });
    await record();
    await expect(finish("run_1")).rejects.toThrow("Not clean");
    const before = await database.deletion(userId);
    expect(before.environment).toBe(ENVIRONMENT);
    events.length = 0;
    const error = await finish("run_2", { environment: "proj_tests/env_dev" }).catch((reason) => reason);
    expect(error.message).toBe(
      `The deletion of user ${userId} was begun by ${ENVIRONMENT}: only a run there may work on it`,
    );
    expect(isHopeless(error)).toBe(true);
    expect(events).toEqual([]);
    expect(await database.deletion(userId)).toEqual(before);
  });

  it("refuses one whose recorded run it does not know, before any has taken it", async () => {
    const { userId, record, finish, statuses } = world();
    await record();
    await recordFirstRun(database.db, userId, "run_1");
    const before = await database.deletion(userId);
    await expect(finish("run_2")).rejects.toThrow(`The deletion of user ${userId} was begun by run_1`);
    expect(await database.deletion(userId)).toEqual(before);
    statuses.run_1 = "CANCELED";
    expect(await finish("run_2")).toMatchObject({ status: "complete" });
  });

  it("is named by project and environment", () => {
    expect(environmentOf({ project: { ref: "proj_x" }, environment: { id: "env_y" } })).toBe("proj_x/env_y");
  });
});
