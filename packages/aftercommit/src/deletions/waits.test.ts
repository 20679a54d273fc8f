import { describe, expect, it } from "vitest";
import { worldsForTests } from "@/tests/helpers/deletions/deletion-world.ts";
import { holdRow, isHeld, readHolds, releaseRow } from "./holds.ts";

const worlds = worldsForTests();
const { world } = worlds;

const hold = (rowId: string) =>
  holdRow(worlds.database.db, { source: "user", rowId }, "a court asked for it");
const release = (rowId: string) => releaseRow(worlds.database.db, { source: "user", rowId });

describe("a row on hold", () => {
  it("that is deleted is not cleaned up anywhere before it is released", async () => {
    const { userId, events, record, finish, statuses } = world();
    await hold(userId);
    const deletionId = await record();
    expect(await finish(deletionId)).toEqual({ deletionId, status: "held" });
    expect(events).toEqual([]);
    expect(await worlds.database.deletion(deletionId)).toMatchObject({
      outcome: null,
      last_error: null,
      email: "to@example.com",
    });
    expect(await release(userId)).toBe(true);
    statuses.run_1 = "COMPLETED";
    expect(await finish(deletionId, "run_2")).toMatchObject({ status: "complete", confirmation: "sent" });
  });

  it("is not cleaned up by a run of a step that had already started", async () => {
    const { userId, events, record, finish, stepsOf, broken } = world({ broken: new Set(["crm"]) });
    const deletionId = await record();
    await expect(finish(deletionId)).rejects.toThrow("Not clean: crm");
    await hold(userId);
    broken.clear();
    events.length = 0;
    await stepsOf(deletionId, "run_1").cleanUp(["crm"]);
    expect(events).toEqual([]);
  });

  it("that starts between the last system and the e-mail holds the e-mail", async () => {
    const { userId, events, record, finish, stepsOf } = world();
    const deletionId = await record();
    const steps = stepsOf(deletionId, "run_1");
    const cleanUp = async (systems: readonly string[]) => {
      const failures = await steps.cleanUp(systems);
      await hold(userId);
      return failures;
    };
    expect(await finish(deletionId, "run_1", { steps: { ...steps, cleanUp } })).toEqual({
      deletionId,
      status: "held",
    });
    await steps.confirm();
    expect(events).not.toContain("mail");
  });

  it("ends its deletion when the row exists again, on hold or not", async () => {
    const { userId, record, finish, insertUser } = world();
    const deletionId = await record();
    await insertUser();
    await hold(userId);
    expect(await finish(deletionId)).toEqual({ deletionId, status: "row-is-back" });
  });

  it("has one reason, the last one given, until it is released", async () => {
    const { userId } = world();
    const row = { source: "user", rowId: userId };
    await hold(userId);
    await holdRow(worlds.database.db, row, "an invoice is open");
    const holds = await readHolds(worlds.database.db);
    expect(holds.filter(({ rowId }) => rowId === userId)).toEqual([
      { ...row, reason: "an invoice is open", heldAt: expect.any(Date) },
    ]);
    expect([await release(userId), await release(userId)]).toEqual([true, false]);
    expect(await isHeld(worlds.database.db, row)).toBe(false);
  });
});

describe("a system with a grace period", () => {
  it("is called after its time, the others immediately, and the e-mail waits for all; no run does", async () => {
    const { events, record, finish, age, statuses } = world({ after: { crm: "30 days" } });
    const deletionId = await record();
    const first = await finish(deletionId);
    const { requested_at: at, next_at: next } = await worlds.database.deletion(deletionId);
    expect(first).toEqual({ deletionId, status: "waiting", until: next?.toISOString() });
    expect((next?.getTime() ?? 0) - at.getTime()).toBe(30 * 86_400_000);
    expect(events).toEqual(["billing"]);
    await age(deletionId, 30);
    statuses.run_1 = "COMPLETED";
    expect(await finish(deletionId, "run_2")).toMatchObject({ status: "complete", confirmation: "sent" });
    expect(events).toEqual(["billing", "crm", "mail"]);
  });

  it("is never called about a row that was restored by then", async () => {
    const { events, record, finish, age, insertUser, statuses } = world({
      after: { crm: "7 days", billing: "14 days" },
    });
    const deletionId = await record();
    await finish(deletionId);
    await insertUser();
    await age(deletionId, 7);
    statuses.run_1 = "COMPLETED";
    expect(await finish(deletionId, "run_2")).toEqual({ deletionId, status: "row-is-back" });
    expect(events).toEqual([]);
  });

  it("is awaited one after another, the next one first", async () => {
    const { events, record, finish, age, statuses } = world({ after: { crm: "14 days", billing: "7 days" } });
    const deletionId = await record();
    await finish(deletionId);
    await age(deletionId, 8);
    statuses.run_1 = "COMPLETED";
    expect(await finish(deletionId, "run_2")).toMatchObject({ status: "waiting" });
    expect(events).toEqual(["billing"]);
  });
});
