import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startDatabase } from "@/tests/helpers/deletions/deletions-database.ts";
import { leasedDeletion } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { startSmtp } from "@/tests/helpers/deletions/smtp.ts";
import { startSystem } from "@/tests/helpers/deletions/system-server.ts";
import { executeTask, loadTasks, taskOf } from "@/tests/helpers/execute-task.ts";
import { claimConfirmation } from "./confirmation-claims.ts";
import { deletionConcurrency } from "./tasks.ts";

let database: Awaited<ReturnType<typeof startDatabase>>;
let smtp: Awaited<ReturnType<typeof startSmtp>>;

beforeAll(async () => {
  [database, smtp] = await Promise.all([startDatabase(), startSmtp()]);
  vi.stubEnv("USER_DELETION_CONCURRENCY", "12");
  // Files share their modules, and the variable is read when the task's module is evaluated.
  vi.resetModules();
  await loadTasks(() =>
    Promise.all([
      import("@/trigger/user-deletion-cleanup.ts"),
      import("@/trigger/resume-user-deletions.ts"),
      import("@/trigger/clean-up-external-system.ts"),
      import("@/trigger/send-deletion-confirmation.ts"),
    ]),
  );
  vi.unstubAllEnvs();
});
afterAll(() => Promise.all([database.close(), smtp.close()]));

beforeEach(() => {
  vi.stubEnv("DATABASE_URL", database.url);
  vi.stubEnv("SMTP_URL", smtp.url);
  vi.stubEnv("MAIL_FROM", "no-reply@example.com");
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("the number of deletions that run at the same time", () => {
  it("is a setting that the task is registered with", () => {
    expect(taskOf("user-deletion-cleanup")).toMatchObject({ concurrency: { inline: { total: 12 } } });
    expect(deletionConcurrency()).toBe(5);
  });

  it.each(["0", "-1", "five", "1.5"])("is not %s: the variable is named", (value) => {
    vi.stubEnv("USER_DELETION_CONCURRENCY", value);
    expect(() => deletionConcurrency()).toThrow("USER_DELETION_CONCURRENCY must be a whole number");
  });
});

it("a payload is ids and nothing else", async () => {
  for (const deletionId of ["", "1e9", "-1", "0", "99999999999999999999", 7])
    expect(await executeTask("send-deletion-confirmation", { deletionId })).toMatchObject({ ok: false });
});

describe("a run of send-deletion-confirmation", () => {
  async function deletion() {
    const email = `${randomUUID()}@example.com`;
    return { deletionId: await leasedDeletion(database.db, { email, environment: "proj/env" }), email };
  }

  it("is tried again when the claim of another run is over", async () => {
    const { deletionId, email } = await deletion();
    expect(await claimConfirmation(database.db, deletionId, "run_other")).toBe(true);
    const { confirmation_claimed_at: claimedAt } = await database.deletion(deletionId);
    const result = await executeTask("send-deletion-confirmation", { deletionId });
    expect(result).toMatchObject({
      ok: false,
      error: { message: "Another run is sending the confirmation" },
      retry: { timestamp: (claimedAt?.getTime() ?? 0) + 120_000 },
    });
    expect(smtp.messagesTo(email)).toEqual([]);
  });

  it("is not tried again when the mail server permanently rejects the address", async () => {
    const { deletionId } = await deletion();
    smtp.behave({ replies: { RCPT: "550 5.1.1 no" } });
    const result = await executeTask("send-deletion-confirmation", { deletionId });
    smtp.behave({});
    expect(result).toMatchObject({ ok: false, skippedRetrying: true });
  });
});

describe("a run of clean-up-external-system", () => {
  it.each([
    [429, 30],
    [503, 40],
  ])(
    "whose system answers %i with retry-after %i waits as long before its next attempt, with one call until then",
    async (status, seconds) => {
      const system = await startSystem(() => ({ status, headers: { "retry-after": String(seconds) } }));
      vi.stubEnv("USER_DELETION_WEBHOOK_URLS", `crm=${system.url}`);
      vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", `whsec_${Buffer.alloc(32, 1).toString("base64")}`);
      vi.spyOn(console, "warn").mockImplementation(() => {});
      const deletionId = await leasedDeletion(database.db, { systems: ["crm"], environment: "proj/env" });
      const before = Date.now();
      const result = await executeTask("clean-up-external-system", { deletionId, system: "crm" });
      await system.close();
      expect(result).toMatchObject({ ok: false, error: { message: `answered ${status}` } });
      const wait = (("retry" in result && result.retry?.timestamp) || 0) - before;
      expect(wait).toBeGreaterThanOrEqual(seconds * 1_000);
      expect(wait).toBeLessThan(seconds * 1_000 + (Date.now() - before));
      expect(system.requests).toHaveLength(1);
    },
  );
});
