import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { recordDeletion, recordFirstRun } from "../../drizzle/queries/user-deletions.ts";
import { cleanUpSystem } from "../../lib/deletions/clean-up-system.ts";
import { isHopeless } from "../../lib/deletions/errors.ts";
import type { ExternalSystem } from "../../lib/deletions/external-system.ts";
import { type DeletionSteps, finishDeletion } from "../../lib/deletions/finish-deletion.ts";
import { sendConfirmation } from "../../lib/deletions/send-confirmation.ts";
import { startDatabase } from "./database.ts";

const { signal } = new AbortController();

let database: Awaited<ReturnType<typeof startDatabase>>;

beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database.close());

beforeEach(() => {
  vi.stubEnv("DATABASE_URL", database.url);
  vi.stubEnv("MAIL_FROM", "no-reply@example.com");
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Systems, steps in this process, and what was done in which order. */
function world({ broken = new Set<string>(), email = "to@example.com" as string | null } = {}) {
  const events: string[] = [];
  const system = (name: string): ExternalSystem => ({
    name,
    async cleanUp() {
      events.push(name);
      if (broken.has(name)) throw new Error(`${name} is down`);
    },
  });
  const systems = () => [system("crm"), system("billing")];
  const userId = randomUUID();
  const send = async () => void events.push("mail");
  const steps: DeletionSteps = {
    async cleanUp(names) {
      const attempts = names.map((name) => cleanUpSystem({ userId, system: name, signal }, { systems }));
      const results = await Promise.allSettled(attempts);
      return names.flatMap((name, index) => {
        const result = results[index];
        return result?.status === "rejected" ? [{ system: name, error: result.reason.message }] : [];
      });
    },
    confirm: async () => (await sendConfirmation({ userId, signal }, { systems, send })).confirmation,
  };
  return {
    userId,
    events,
    broken,
    record: () => recordDeletion(database.db, { userId, email, emailHash: email && "a hash" }),
    finish: (runId = "run_1") => finishDeletion({ userId, runId }, steps, { systems }),
  };
}

describe("a deletion", () => {
  it("cleans all systems, then sends the e-mail, and is complete", async () => {
    const { userId, events, record, finish } = world();
    await record();
    expect(await finish()).toEqual({
      userId,
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
    const { userId, events, record, finish, broken } = world({ broken: new Set(["crm"]) });
    await record();
    await expect(finish()).rejects.toThrow("Not clean");
    broken.clear();
    events.length = 0;
    expect(await finish("run_2")).toEqual({
      userId,
      systems: { crm: "clean", billing: "already-clean" },
      confirmation: "sent",
    });
    expect(events).toEqual(["crm", "mail"]);
    expect(await database.deletion(userId)).toMatchObject({ lastError: null, runId: "run_2" });
  });

  it("is complete without an e-mail where there is no address", async () => {
    const { userId, events, record, finish } = world({ email: null });
    await record();
    expect((await finish()).confirmation).toBe("no-address");
    expect(events).not.toContain("mail");
    expect((await database.deletion(userId)).completedAt).toBeInstanceOf(Date);
    expect((await finish()).confirmation).toBe("no-address");
  });

  it("is not begun for a user of whom no deletion is recorded", async () => {
    const { userId, events, finish } = world();
    const error = await finish().catch((reason) => reason);
    expect(error.message).toBe(`No deletion of user ${userId} is recorded`);
    expect(isHopeless(error)).toBe(true);
    expect(events).toEqual([]);
  });

  it("says in the ledger what is not configured", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "https://example.com/hook");
    vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", "");
    const { userId, record } = world();
    await record();
    const steps = { cleanUp: async () => [], confirm: async () => "sent" as const };
    const error = await finishDeletion({ userId, runId: "run_1" }, steps).catch((reason) => reason);
    expect(isHopeless(error)).toBe(true);
    expect((await database.deletion(userId)).lastError).toContain("USER_DELETION_WEBHOOK_SECRET is not set");
  });

  it("keeps the newer run when the handle of a repeated trigger call names an older one", async () => {
    const { userId, record } = world();
    await record();
    await recordFirstRun(database.db, userId, "run_new");
    await recordFirstRun(database.db, userId, "run_old");
    expect((await database.deletion(userId)).runId).toBe("run_new");
  });
});
