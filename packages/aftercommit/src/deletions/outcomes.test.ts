import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startDatabase } from "@/tests/helpers/deletions/deletions-database.ts";
import { outcomeWorld, type SystemMode } from "@/tests/helpers/deletions/outcome-world.ts";
import { newReceiptKey, runDeletions } from "@/tests/helpers/deletions/run-deletions.ts";
import { type Behavior, startSmtp } from "@/tests/helpers/deletions/smtp.ts";
import { startSystem } from "@/tests/helpers/deletions/system-server.ts";

const secret = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
const KEY = newReceiptKey();

let database: Awaited<ReturnType<typeof startDatabase>>;
let smtp: Awaited<ReturnType<typeof startSmtp>>;
let system: Awaited<ReturnType<typeof startSystem>>;
let folder: string;
beforeAll(async () => {
  [database, smtp, system] = await Promise.all([startDatabase(), startSmtp(), startSystem()]);
  folder = await mkdtemp(join(tmpdir(), "outcomes-"));
});
afterAll(() =>
  Promise.all([database.close(), smtp.close(), system.close(), rm(folder, { recursive: true })]),
);
beforeEach(() => {
  const variables = {
    USER_DELETION_WEBHOOK_URLS: "none",
    USER_DELETION_WEBHOOK_SECRET: secret,
    DELETION_RECEIPT_KEY: KEY,
    MAIL_FROM: "no-reply@example.com",
    SMTP_URL: smtp.url,
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  for (const level of ["info", "warn"] as const) vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const ROWS = ["deleted", "back", "back and deleted again"] as const;
const MODES = ["clean", "failing", "lying", "missing", "holding"] as const satisfies SystemMode[];
const MAILS = {
  accepted: {},
  bounced: { replies: { RCPT: "550 5.1.1 no" } },
  unknown: { atEnd: "drop" },
} as const;

/** The result of the first run while the system is in this state, and no e-mail is sent. */
const FIRST: Record<Exclude<SystemMode, "clean">, RegExp> = {
  failing: /^Not clean: crm \(answered 500\)$/,
  lying: /^Not clean: crm \(says that it is clean, and still has the row\)$/,
  missing: /^Not clean: crm \(not configured where the task runs\)$/,
  holding: /^held$/,
};

type World = ReturnType<typeof outcomeWorld>;

const command = (world: World, ...args: string[]) =>
  runDeletions(database.db, [world.declaration()], ...args);

/** Delivers the first deletion of the row, or the one after it came back. */
async function deliver(world: World, row: (typeof ROWS)[number]): Promise<string> {
  await world.insertUser();
  if (row === "deleted") await world.deleteUser();
  const first = await world.record();
  if (row === "deleted") return first;
  expect(await world.run(first)).toBe("row-is-back");
  expect(await world.receiptState(first)).toBe("row_is_back");
  if (row === "back") return first;
  await world.deleteUser();
  return world.record();
}

/** Runs a deletion to its end, in spite of the system and the mail server, which both recover. */
async function complete(world: World, id: string, mode: SystemMode, mail: keyof typeof MAILS): Promise<void> {
  const messages = () => smtp.messagesTo(world.email).length;
  if (mode !== "clean") {
    if (mode === "holding") await command(world, "hold", "--user", world.userId, "--reason", "a court");
    for (let run = 0; run < 2; run += 1) expect(await world.run(id)).toMatch(FIRST[mode]);
    expect(await world.receiptState(id)).toBe("open");
    expect(messages()).toBe(0);
    if (mode === "holding") await command(world, "release", "--user", world.userId);
    world.state.mode = "clean";
  }
  const behavior: Behavior = MAILS[mail];
  smtp.behave(behavior);
  const status = await world.run(id);
  smtp.behave({});
  if (mail !== "accepted") {
    expect(status).toMatch(mail === "bounced" ? /answered 550/ : /^no answer of the mail server/);
    expect(await world.receiptState(id)).toBe("open");
    expect(await database.deletion(id)).toMatchObject({ email: world.email, completed_at: null });
    expect(await world.run(id)).toBe("complete");
  } else expect(status).toBe("complete");
}

/** A backup brings the user back everywhere except in the receipts. */
async function restore(world: World): Promise<string> {
  const file = join(folder, `${world.userId}.jws`);
  await writeFile(file, (await command(world, "export")).join("\n"));
  await database.db.execute(sql`delete from aftercommit.deletions where row_id = ${world.userId}`);
  await world.insertUser();
  world.state.known = true;
  const args = [
    "replay",
    "--receipts",
    file,
    "--since",
    new Date(Date.now() - 3_600_000).toISOString(),
    "--yes",
  ];
  const said = (await command(world, ...args)).filter((line) => line.includes(world.userId));
  expect(said).toEqual([expect.stringContaining("is deleted again")]);
  expect((await database.db.execute(sql`select from users where id = ${world.userId}`)).rowCount).toBe(0);
  world.state.exists = false;
  return world.record();
}

const cases = ROWS.flatMap((row) =>
  (row === "back" ? MODES.slice(0, 1) : MODES).flatMap((mode) =>
    (["accepted", "bounced", "unknown"] as const)
      .filter((mail) => row !== "back" || mail === "accepted")
      .flatMap((mail) =>
        (row === "back" ? [false] : [false, true]).map((restored) => ({ row, mode, mail, restored })),
      ),
  ),
);

describe("a deletion", () => {
  it.each(cases)(
    "row $row, system $mode, mail $mail, restored $restored: nobody who exists is notified, nobody is forgotten, one mail",
    async ({ row, mode, mail, restored }) => {
      const world = outcomeWorld({ db: database.db, system });
      const id = await deliver(world, row);
      if (row !== "back") {
        world.state.mode = mode;
        await complete(world, id, mode, mail);
        expect(await world.receiptState(id)).toBe("complete");
        if (restored) expect(await world.run(await restore(world))).toBe("complete");
      }
      expect(world.violations).toEqual([]);
      expect(world.state.known).toBe(row === "back");
      const messages = smtp.messagesTo(world.email);
      // It is unknown whether a server that disconnected had accepted the e-mail: then there are two copies, with the
      // same id.
      const ids = new Set(messages.map((message) => /^Message-ID: (.*)$/im.exec(message)?.[1]));
      expect(ids.size).toBe(row === "back" ? 0 : 1);
      expect(messages).toHaveLength(row === "back" ? 0 : mail === "unknown" ? 2 : 1);
      const deletions = await database.deletionsOf(world.userId);
      expect(deletions.filter(({ completed_at: at }) => at === null)).toEqual([]);
      expect(JSON.stringify(deletions)).not.toContain("@example.com");
    },
  );
});
