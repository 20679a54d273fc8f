import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { claimConfirmation } from "../../drizzle/queries/deletion-confirmations.ts";
import { deletionConcurrency } from "../../lib/deletions/concurrency.ts";
import { executeTask, loadTasks, taskOf } from "../tasks/execute-task.ts";
import { startDatabase } from "./database.ts";
import { heldDeletion } from "./ledger.ts";
import { startSmtp } from "./smtp.ts";

let database: Awaited<ReturnType<typeof startDatabase>>;
let smtp: Awaited<ReturnType<typeof startSmtp>>;

beforeAll(async () => {
  [database, smtp] = await Promise.all([startDatabase(), startSmtp()]);
  vi.stubEnv("USER_DELETION_CONCURRENCY", "12");
  // Files share their modules, and it is read as the task's module is evaluated.
  vi.resetModules();
  await loadTasks(() => import("../../trigger/user-deletion-cleanup.ts"));
  vi.unstubAllEnvs();
});
afterAll(() => Promise.all([database.close(), smtp.close()]));

beforeEach(() => {
  vi.stubEnv("DATABASE_URL", database.url);
  vi.stubEnv("SMTP_URL", smtp.url);
  vi.stubEnv("MAIL_FROM", "no-reply@example.com");
});
afterEach(() => vi.unstubAllEnvs());

describe("the number of deletions that are worked on at once", () => {
  it("is a setting that the task is registered with", () => {
    expect(taskOf("user-deletion-cleanup")).toMatchObject({ concurrency: { inline: { total: 12 } } });
    expect(deletionConcurrency()).toBe(5);
  });

  it.each(["0", "-1", "five", "1.5"])("is not %s: the variable is named", (value) => {
    vi.stubEnv("USER_DELETION_CONCURRENCY", value);
    expect(() => deletionConcurrency()).toThrow("USER_DELETION_CONCURRENCY must be a whole number");
  });
});

describe("a run of send-deletion-confirmation", () => {
  const deletion = () => {
    const userId = randomUUID();
    return heldDeletion(database.db, { userId, email: `${userId}@example.com`, environment: "proj/env" });
  };

  it("is tried again when the claim of another run is over", async () => {
    const userId = await deletion();
    expect(await claimConfirmation(database.db, userId, "run_other")).toBe(true);
    const { confirmationClaimedAt } = await database.deletion(userId);
    const result = await executeTask("send-deletion-confirmation", { userId });
    expect(result).toMatchObject({
      ok: false,
      error: { message: "Another run is sending the confirmation" },
      retry: { timestamp: (confirmationClaimedAt?.getTime() ?? 0) + 120_000 },
    });
    expect(smtp.messagesTo(`${userId}@example.com`)).toEqual([]);
  });

  it("is not tried again when the mail server refuses the address for good", async () => {
    const userId = await deletion();
    smtp.behave({ replies: { RCPT: "550 5.1.1 no" } });
    const result = await executeTask("send-deletion-confirmation", { userId });
    smtp.behave({});
    expect(result).toMatchObject({ ok: false, skippedRetrying: true });
  });
});
