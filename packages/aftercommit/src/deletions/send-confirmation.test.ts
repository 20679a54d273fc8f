import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { type LocalMail, startMail } from "@/emulators/mail/start.ts";
import { startDatabase } from "@/tests/helpers/deletions/deletions-database.ts";
import { ENVIRONMENT, leasedDeletion } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { afterError } from "./errors.ts";
import { recordSystemClean } from "./ledger.ts";
import { sendConfirmation } from "./send-confirmation.ts";
import { sendMail } from "./send-mail.ts";

const { signal } = new AbortController();

let database: Awaited<ReturnType<typeof startDatabase>>;
let catcher: LocalMail;

beforeAll(async () => {
  [database, catcher] = await Promise.all([
    startDatabase(),
    startMail({ host: "127.0.0.1", port: 0, log: () => {} }),
  ]);
});
afterAll(() => Promise.all([database.close(), catcher.close()]));

beforeEach(() => {
  vi.stubEnv("SMTP_URL", catcher.url);
  vi.stubEnv("MAIL_FROM", "Aftercommit <no-reply@mail.example.com>");
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

async function newDeletion(email?: string | null, systems: string[] = [], userId = randomUUID()) {
  const address = email === undefined ? `${userId}@example.com` : email;
  return leasedDeletion(database.db, { userId, email: address, systems });
}

const requestFor = (deletionId: string) => ({
  deletionId,
  runId: "run_mail",
  environment: ENVIRONMENT,
  signal,
});

const context = (send = sendMail) => ({ db: database.db, declarations: [users], send });

const confirm = (deletionId: string) => sendConfirmation(requestFor(deletionId), context());

async function mailsTo(deletionId: string) {
  const { row_id: userId } = await database.deletion(deletionId);
  const mails: { id: string; to: string[]; messageId: string; subject: string }[] = await (
    await catcher.app.request("/local/mail")
  ).json();
  return mails.filter(({ to }) => to.includes(`${userId}@example.com`));
}

const refuse = (fault: object) =>
  catcher.app.request("/local/mail/faults", { method: "POST", body: JSON.stringify(fault) });

describe("confirming a deletion", () => {
  it("sends one e-mail, records when, and keeps no address", async () => {
    const id = await newDeletion();
    expect(await confirm(id)).toEqual({ deletionId: id, confirmation: "sent" });
    expect(await mailsTo(id)).toHaveLength(1);
    const deletion = await database.deletion(id);
    expect(JSON.stringify(deletion)).not.toContain("@");
    expect(deletion.confirmation_sent_at).toBeInstanceOf(Date);
  });

  it("sends nothing once it is recorded", async () => {
    const id = await newDeletion();
    await confirm(id);
    expect(await confirm(id)).toEqual({ deletionId: id, confirmation: "already-sent" });
    expect(await mailsTo(id)).toHaveLength(1);
  });

  it("sends a second copy with the same Message-ID when the ledger did not record the first", async () => {
    const id = await newDeletion();
    const lost = new Error("killed");
    const send: typeof sendMail = async (mail, limit) => {
      await sendMail(mail, limit);
      throw lost;
    };
    await expect(sendConfirmation(requestFor(id), context(send))).rejects.toBe(lost);
    await confirm(id);
    const ids = (await mailsTo(id)).map(({ messageId }) => messageId);
    const { requested_at: at } = await database.deletion(id);
    expect(ids).toEqual(Array(2).fill(`<user-deletion.${id}.${at.getTime()}@mail.example.com>`));
  });

  it("touches nothing in an environment other than the one that began the deletion", async () => {
    const id = await newDeletion();
    const before = await database.deletion(id);
    const run = sendConfirmation({ ...requestFor(id), environment: "proj_tests/env_dev" }, context());
    const error = await run.catch((reason) => reason);
    expect(error.message).toContain(`was begun by ${ENVIRONMENT}`);
    expect(afterError({ error })).toEqual({ skipRetrying: true });
    expect(await database.deletion(id)).toEqual(before);
    expect(await mailsTo(id)).toEqual([]);
  });

  it("sends nothing to a user who exists, and deletes the address", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const userId = randomUUID();
    const id = await newDeletion(undefined, [], userId);
    await database.db.execute(sql`insert into users (id, first_name, last_name, email)
      values (${userId}, 'Jane', 'Doe', ${`${userId}@example.com`})`);
    expect((await confirm(id)).confirmation).toBe("row-is-back");
    await database.db.execute(sql`delete from users where id = ${userId}`);
    expect((await confirm(id)).confirmation).toBe("row-is-back");
    expect(await database.deletion(id)).toMatchObject({ outcome: "row_is_back", email: null });
    expect(await mailsTo(id)).toEqual([]);
  });

  it("says that there is no address", async () => {
    const id = await newDeletion(null);
    expect(await confirm(id)).toEqual({ deletionId: id, confirmation: "no-address" });
  });

  it("never sends before every system is recorded as clean", async () => {
    // The configuration here does not matter.
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "none");
    const id = await newDeletion(undefined, ["crm", "billing"]);
    await recordSystemClean(database.db, id, { system: "crm" });
    const error = await confirm(id).catch((reason) => reason);
    expect(error.message).toBe("Not clean: billing (not recorded as clean)");
    expect(await mailsTo(id)).toEqual([]);
    await recordSystemClean(database.db, id, { system: "billing" });
    expect((await confirm(id)).confirmation).toBe("sent");
  });

  it("tries again while the mail server is down or busy", async () => {
    const id = await newDeletion();
    vi.stubEnv("SMTP_URL", "smtp://127.0.0.1:1");
    const down = await confirm(id).catch((reason) => reason);
    expect(down.message).toBe("no mail server: ESOCKET");
    expect(afterError({ error: down })).toBeUndefined();
    vi.stubEnv("SMTP_URL", catcher.url);
    await refuse({ status: 451, times: 1 });
    const busy = await confirm(id).catch((reason) => reason);
    expect(busy.message).toBe("the mail server answered 451 to RCPT TO");
    expect(afterError({ error: busy })).toBeUndefined();
    expect((await confirm(id)).confirmation).toBe("sent");
  });

  it("does not try again when the mail server permanently rejects the e-mail, and keeps the address out of the error", async () => {
    const id = await newDeletion();
    await refuse({ status: 550, times: 1 });
    const error = await confirm(id).catch((reason) => reason);
    expect(error.message).toBe("the mail server answered 550 to RCPT TO");
    expect(afterError({ error })).toEqual({ skipRetrying: true });
    expect(`${error.stack}${JSON.stringify(error)}${error.cause}`).not.toContain("@example.com");
    expect((await database.deletion(id)).email).not.toBeNull();
  });

  it.each(["SMTP_URL", "MAIL_FROM"])("names %s when it is not set, and does not try again", async (name) => {
    vi.stubEnv(name, "");
    const error = await confirm(await newDeletion()).catch((reason) => reason);
    expect(error.message).toContain(`${name} is not set`);
    expect(afterError({ error })).toEqual({ skipRetrying: true });
  });

  it("needs neither if there is no address", async () => {
    vi.stubEnv("SMTP_URL", "");
    vi.stubEnv("MAIL_FROM", "");
    expect((await confirm(await newDeletion(null))).confirmation).toBe("no-address");
  });

  it("gives up an attempt when the run is canceled", async () => {
    const run = new AbortController();
    run.abort();
    const id = await newDeletion();
    await expect(sendConfirmation({ ...requestFor(id), signal: run.signal }, context())).rejects.toThrow(
      "cancelled",
    );
    expect(await mailsTo(id)).toEqual([]);
  });
});
