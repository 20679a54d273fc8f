import { describe, expect, it } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { worldsForTests } from "@/tests/helpers/deletions/deletion-world.ts";
import { afterError } from "./errors.ts";
import type { DeletionSteps } from "./finish-deletion.ts";
import { recordFirstRun } from "./ledger.ts";

const worlds = worldsForTests();
const { world } = worlds;

describe("a deletion", () => {
  it("cleans all systems, then sends the e-mail, and is complete", async () => {
    const { events, record, finish } = world();
    const deletionId = await record();
    expect(await finish(deletionId)).toEqual({
      deletionId,
      status: "complete",
      systems: { crm: "clean", billing: "clean" },
      confirmation: "sent",
    });
    expect(events.slice(0, 2).sort()).toEqual(["billing", "crm"]);
    expect(events.slice(2)).toEqual(["mail"]);
    const deletion = await worlds.database.deletion(deletionId);
    expect(deletion).toMatchObject({ email: null, last_error: null, run_id: "run_1", outcome: "completed" });
    expect(deletion.completed_at).toBeInstanceOf(Date);
  });

  it("does nothing when it is complete, and keeps the run that completed it", async () => {
    const { events, record, finish } = world();
    const deletionId = await record();
    await finish(deletionId);
    expect(await finish(deletionId, "run_2")).toEqual({
      deletionId,
      status: "complete",
      systems: { crm: "already-clean", billing: "already-clean" },
      confirmation: "already-sent",
    });
    expect(events).toHaveLength(3);
    expect((await worlds.database.deletion(deletionId)).run_id).toBe("run_1");
  });

  it("lets the other systems end when one fails, sends no e-mail, and says which failed", async () => {
    const { events, record, finish } = world({ broken: new Set(["crm"]) });
    const deletionId = await record();
    const error = await finish(deletionId).catch((reason) => reason);
    expect(error.message).toBe("Not clean: crm (crm is down)");
    expect(afterError({ error })).toEqual({ skipRetrying: true });
    expect(events.sort()).toEqual(["billing", "crm"]);
    const deletion = await worlds.database.deletion(deletionId);
    expect(deletion).toMatchObject({
      last_error: error.message,
      completed_at: null,
      confirmation_sent_at: null,
      email: "to@example.com",
      systems: { billing: { done_at: expect.any(String) }, crm: { error: "crm is down" } },
    });
  });

  it("continues with what is left when it runs again", async () => {
    const { events, record, finish, broken, statuses } = world({ broken: new Set(["crm"]) });
    const deletionId = await record();
    await expect(finish(deletionId)).rejects.toThrow("Not clean");
    statuses.run_1 = "FAILED";
    broken.clear();
    events.length = 0;
    expect(await finish(deletionId, "run_2")).toEqual({
      deletionId,
      status: "complete",
      systems: { crm: "clean", billing: "already-clean" },
      confirmation: "sent",
    });
    expect(events).toEqual(["crm", "mail"]);
    expect(await worlds.database.deletion(deletionId)).toMatchObject({ last_error: null, run_id: "run_2" });
  });

  it("is complete without an e-mail if there is no address", async () => {
    const { events, record, finish } = world({ email: null });
    const deletionId = await record();
    expect(await finish(deletionId)).toMatchObject({ confirmation: "no-address" });
    expect(events).not.toContain("mail");
    expect((await worlds.database.deletion(deletionId)).completed_at).toBeInstanceOf(Date);
    expect(await finish(deletionId)).toMatchObject({ confirmation: "no-address" });
  });

  it("does not start when it is not recorded, or belongs to another declared table", async () => {
    const { events, finish, record } = world();
    const other = world({ declaration: { ...users, row: "account" } });
    const deletionId = await record();
    for (const attempt of [() => finish("999999"), () => other.finish(deletionId)]) {
      const error = await attempt().catch((reason) => reason);
      expect(error.message).toMatch(/^No deletion \d+ is recorded$/);
      expect(afterError({ error })).toEqual({ skipRetrying: true });
    }
    expect(events).toEqual([]);
  });

  it("keeps the newer run when the handle of a repeated trigger call names an older one", async () => {
    const { record } = world();
    const deletionId = await record();
    await recordFirstRun(worlds.database.db, deletionId, "run_new");
    await recordFirstRun(worlds.database.db, deletionId, "run_old");
    expect((await worlds.database.deletion(deletionId)).run_id).toBe("run_new");
  });
});

describe("the systems that a deletion has to notify", () => {
  it("are those of its acceptance: one that the task lacks leaves it open, named, and unconfirmed", async () => {
    const { events, record, finish, configured } = world();
    const deletionId = await record();
    configured.shift();
    const error = await finish(deletionId).catch((reason) => reason);
    expect(error.message).toBe("Not clean: crm (not configured where the task runs)");
    expect(events).toEqual(["billing"]);
    expect(await worlds.database.deletion(deletionId)).toMatchObject({
      completed_at: null,
      confirmation_sent_at: null,
      last_error: error.message,
      systems: {
        crm: { error: "not configured where the task runs" },
        billing: { done_at: expect.any(String) },
      },
    });
    configured.push("crm");
    expect(await finish(deletionId)).toMatchObject({ systems: { crm: "clean", billing: "already-clean" } });
  });

  it("are not those that are configured later", async () => {
    const { events, record, finish, configured } = world();
    const deletionId = await record();
    configured.push("analytics");
    expect(await finish(deletionId)).toMatchObject({ systems: { crm: "clean", billing: "clean" } });
    expect(events).not.toContain("analytics");
  });

  it("are all recorded as clean before it is complete, whatever its steps say", async () => {
    const { record, finish } = world({ email: null });
    const deletionId = await record();
    const steps: DeletionSteps = { cleanUp: async () => [], confirm: async () => {} };
    await expect(finish(deletionId, "run_1", { steps })).rejects.toThrow("The ledger does not agree");
    expect((await worlds.database.deletion(deletionId)).completed_at).toBeNull();
  });
});
