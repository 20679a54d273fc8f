import { describe, expect, it, vi } from "vitest";
import { recordFirstRun, recordSystemClean } from "../../drizzle/queries/user-deletions.ts";
import { userDeletions } from "../../drizzle/schema.ts";
import { isHopeless } from "../../lib/deletions/errors.ts";
import { type DeletionSteps, finishDeletion } from "../../lib/deletions/finish-deletion.ts";
import { ENVIRONMENT } from "./ledger.ts";
import { worldsForTests } from "./world.ts";

const worlds = worldsForTests();
const { world } = worlds;

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
    const deletion = await worlds.database.deletion(userId);
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
    expect((await worlds.database.deletion(userId)).runId).toBe("run_1");
  });

  it("lets the other systems end when one fails, sends no e-mail, and says which failed", async () => {
    const { userId, events, record, finish } = world({ broken: new Set(["crm"]) });
    await record();
    const error = await finish().catch((reason) => reason);
    expect(error.message).toBe("Not clean: crm (crm is down)");
    expect(isHopeless(error)).toBe(true);
    expect(events.sort()).toEqual(["billing", "crm"]);
    const deletion = await worlds.database.deletion(userId);
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
    expect(await worlds.database.deletion(userId)).toMatchObject({ lastError: null, runId: "run_2" });
  });

  it("is complete without an e-mail where there is no address", async () => {
    const { userId, events, record, finish } = world({ email: null });
    await record();
    expect(await finish()).toMatchObject({ confirmation: "no-address" });
    expect(events).not.toContain("mail");
    expect((await worlds.database.deletion(userId)).completedAt).toBeInstanceOf(Date);
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
    await recordFirstRun(worlds.database.db, userId, "run_new");
    await recordFirstRun(worlds.database.db, userId, "run_old");
    expect((await worlds.database.deletion(userId)).runId).toBe("run_new");
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
    const deletion = await worlds.database.deletion(userId);
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
    await worlds.database.db.insert(userDeletions).values({ userId });
    await recordSystemClean(worlds.database.db, userId, "crm");
    await expect(finish()).rejects.toThrow("Not clean: billing");
    expect((await worlds.database.deletion(userId)).requiredSystems).toEqual(["crm", "billing"]);
    configured.push("analytics");
    await expect(finish()).rejects.toThrow("Not clean: billing");
    expect(events).toEqual(["billing", "billing"]);
  });

  it("are named as missing where an older version accepted and none are configured", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "");
    const { userId, stepsOf } = world();
    await worlds.database.db.insert(userDeletions).values({ userId });
    const run = { userId, runId: "run_1", environment: ENVIRONMENT };
    const error = await finishDeletion(run, stepsOf("run_1")).catch((reason) => reason);
    expect(isHopeless(error)).toBe(true);
    expect(await worlds.database.deletion(userId)).toMatchObject({
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
    expect((await worlds.database.deletion(userId)).completedAt).toBeNull();
  });
});
