import { randomUUID } from "node:crypto";
import { runs } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { startDatabase } from "@/tests/helpers/deletions/deletions-database.ts";
import { leasedDeletion, recordedDeletion } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { runDeletions } from "@/tests/helpers/deletions/run-deletions.ts";
import { startCommand } from "@/tests/helpers/start-command.ts";
import { startTriggerServer } from "@/tests/helpers/trigger-server.ts";
import type { DeletionDeclaration } from "../../declare/declaration.ts";
import { httpSystem } from "../http-system.ts";
import { recordSystemClean, recordSystemFailed } from "../ledger.ts";
import { webhook } from "../webhook.ts";

const KEY = "tr_dev_deletions";

let database: Awaited<ReturnType<typeof startDatabase>>;
let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
beforeAll(async () => {
  [database, trigger] = await Promise.all([startDatabase(), startTriggerServer(KEY)]);
});
afterAll(() => Promise.all([database.close(), trigger.close()]));
beforeEach(async () => {
  vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "billing=https://billing.example.com/hook");
  vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  await database.db.execute(sql`truncate aftercommit.deletions, aftercommit.deletion_holds`);
});
afterEach(() => vi.unstubAllEnvs());

const run = (...args: string[]) => runDeletions(database.db, [users], ...args);

async function insertUser(email = "ann@example.com"): Promise<string> {
  const id = randomUUID();
  await database.db.execute(sql`
    insert into users (id, first_name, last_name, email) values (${id}, 'Ann', 'Doe', ${email})`);
  return id;
}

describe("a preview", () => {
  const declared: DeletionDeclaration = {
    ...users,
    systems: [
      webhook({
        name: "crm",
        url: "https://crm.example.com/hook",
        email: true,
        verify: true,
        after: "7 days",
      }),
      httpSystem({
        name: "analytics",
        request: ({ id }) => ({
          method: "DELETE",
          url: `https://analytics.example.com/users/${id}`,
          headers: { authorization: "Bearer s3cret" },
        }),
      }),
      { name: "warehouse", cleanUp: () => Promise.reject(new Error("called")) },
    ],
  };
  const preview = (id: string) => runDeletions(database.db, [declared], "preview", "--user", id);

  it("says what would be sent to each system when a user is deleted, shows no header value, and records nothing", async () => {
    const id = await insertUser("Ann <ann@example.com>");
    const lines = await preview(id.toUpperCase());
    expect(lines.map((line) => line.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, "NOW"))).toEqual([
      `user ${id} exists. When it is deleted:`,
      "crm:",
      "  POST https://crm.example.com/hook",
      "  headers: content-type, webhook-id",
      `  body: {"type":"user.deleted","timestamp":"NOW","data":{"user_id":"${id}","user_email":"Ann <ann@example.com>"}}`,
      "  not before 7 days after the deletion",
      "  then asked whether it still has the row",
      "analytics:",
      `  DELETE https://analytics.example.com/users/${id}`,
      "  headers: authorization",
      "warehouse:",
      "  its cleanUp is code: what it sends is not known here",
      "billing:",
      "  POST https://billing.example.com/hook",
      "  headers: content-type, webhook-id",
      `  body: {"type":"user.deleted","timestamp":"NOW","data":{"user_id":"${id}"}}`,
      "e-mail: to ann@example.com, after all systems are clean",
    ]);
    expect(await database.deletionsOf(id)).toEqual([]);
  });

  it("says what would happen to an invalid address", async () => {
    const lines = await preview(await insertUser("not an address"));
    expect(lines.at(-1)).toMatch(/^e-mail: to nobody, the e-mail column does not hold one address/);
  });

  it("says what is left for a deleted user, and that the row is on hold", async () => {
    const userId = randomUUID();
    const id = await recordedDeletion(database.db, { userId, email: "ann@example.com", systems: ["crm"] });
    await recordSystemClean(database.db, id, { system: "crm" });
    await run("hold", "--user", userId, "--reason", "a court asked for it");
    const lines = await preview(userId);
    expect(lines[0]).toBe(`user ${userId} is deleted, and its deletion ${id} is open. What is left:`);
    expect(lines[1]).toBe("On hold (a court asked for it): nothing is sent before it is released.");
    expect(lines[2]).toMatch(/^crm: clean since \d{4}-/);
  });

  it("of nobody is an error", async () => {
    const id = randomUUID();
    await expect(preview(id)).rejects.toThrow(`There is no user ${id}, and no open deletion of one`);
  });
});

describe("a hold", () => {
  it("says what is already clean, is listed with its reason, and ends with a release", async () => {
    const userId = randomUUID();
    const id = await recordedDeletion(database.db, { userId, systems: ["crm", "billing"] });
    await recordSystemClean(database.db, id, { system: "crm" });
    const held = await run("hold", "--user", userId, "--reason", "a court asked for it");
    expect(held[0]).toMatch(/is on hold: from the next step on no system is called/);
    expect(held[1]).toBe("Already clean: crm. That is not undone.");
    expect((await run("list")).at(-1)).toMatch(/^On hold since .*: user .* \(a court asked for it\)$/);
    expect(await run("release", "--user", userId)).toEqual([
      `user ${userId} is released. Deletion ${id} goes on within ten minutes.`,
    ]);
    await expect(run("release", "--user", userId)).rejects.toThrow("is not on hold");
  });

  it("needs a reason", async () => {
    await expect(run("hold", "--user", randomUUID())).rejects.toThrow("Why? --reason TEXT");
  });
});

describe("the list", () => {
  it("has each open deletion with what is left, when it is due, and why", async () => {
    expect(await run("list")).toEqual(["No deletion is open."]);
    const [late, early] = [randomUUID(), randomUUID()];
    const lateId = await recordedDeletion(database.db, { userId: late, systems: ["crm", "billing"] });
    await recordSystemFailed(database.db, lateId, { system: "crm", error: "answered 500" });
    await recordSystemClean(database.db, lateId, { system: "billing" });
    await database.db.execute(
      sql`update aftercommit.deletions set requested_at = now() - interval '32 days'`,
    );
    const earlyId = await recordedDeletion(database.db, { userId: early, email: "ann@example.com" });
    const lines = await run("list");
    expect(lines[0]).toMatch(
      new RegExp(`^user ${late}, requested .*, overdue for 2 days \\(deletion ${lateId}\\)$`),
    );
    expect(lines[1]).toBe("  crm: answered 500");
    expect(lines[2]).toMatch(
      new RegExp(`^user ${early}, requested .*, due in 29 days \\(deletion ${earlyId}\\)$`),
    );
    expect(lines[3]).toBe("  all systems are clean; the e-mail is left");
    expect(lines).toHaveLength(4);
  });
});

describe("a retry", () => {
  it("triggers one run for an open deletion, however often it is asked for", async () => {
    const userId = randomUUID();
    const id = await leasedDeletion(database.db, { userId });
    const [said] = await run("retry", "--user", userId);
    expect(said).toMatch(new RegExp(`^Run run_\\w+ tries deletion ${id} of user ${userId} again\\.$`));
    expect(await run("retry", "--user", userId)).toEqual([said]);
    const { payload } = await runs.retrieve(/run_\w+/.exec(said ?? "")?.[0] ?? "");
    expect(payload).toEqual({ userId, deletionId: id });
  });

  it("says that a deletion is on hold, has ended, or does not exist", async () => {
    const userId = randomUUID();
    await expect(run("retry", "--user", userId)).rejects.toThrow(`No deletion of user ${userId}`);
    const id = await recordedDeletion(database.db, { userId });
    await run("hold", "--user", userId, "--reason", "a court asked for it");
    await expect(run("retry", "--user", userId)).rejects.toThrow("is on hold: release it first");
    await run("release", "--user", userId);
    await database.db.execute(sql`
      update aftercommit.deletions set completed_at = now(), outcome = 'completed' where id = ${id}`);
    await expect(run("retry", "--user", userId)).rejects.toThrow("has ended: completed");
  });
});

describe("the command", () => {
  it.each([[], ["forget"], ["list", "all"]])(
    "says how to call it when it is called by %j",
    async (...args) => {
      await expect(run(...args)).rejects.toThrow("npx aftercommit deletions COMMAND\n  preview --user ID");
    },
  );

  it("names what is wrong with an option", async () => {
    await expect(run("preview")).rejects.toThrow("Which row? --user ID");
    await expect(run("preview", "--user", "seven")).rejects.toThrow("--user: must be a uuid");
    await expect(run("export", "--since", "yesterday")).rejects.toThrow("--since takes a time");
    await expect(run("replay", "--receipts", "x")).rejects.toThrow("--since, the time of the backup");
  });

  it("runs as npm run deletions", async () => {
    const command = startCommand("deletions", ["list"], { DATABASE_URL: database.url });
    expect(await command.end()).toBe("No deletion is open.\n");
  });
});
