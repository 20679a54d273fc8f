import { randomUUID } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { recordSystemClean } from "../../drizzle/queries/user-deletions.ts";
import { confirmationMail } from "../../lib/deletions/confirmation-mail.ts";
import { isHopeless } from "../../lib/deletions/errors.ts";
import { sendConfirmation } from "../../lib/deletions/send-confirmation.ts";
import { sendMail } from "../../lib/deletions/send-mail.ts";
import { type LocalMail, startMail } from "../../local/mail/start.ts";
import { onFreePort } from "../on-free-port.ts";
import { until } from "../until.ts";
import { startDatabase } from "./database.ts";
import { ENVIRONMENT, heldDeletion } from "./ledger.ts";

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
  vi.stubEnv("DATABASE_URL", database.url);
  vi.stubEnv("SMTP_URL", catcher.url);
  vi.stubEnv("MAIL_FROM", "Aftercommit <no-reply@mail.example.com>");
});
afterEach(() => vi.unstubAllEnvs());

async function newDeletion(email?: string | null, systems: string[] = []) {
  const userId = randomUUID();
  const address = email === undefined ? `${userId}@example.com` : email;
  return heldDeletion(database.db, { userId, email: address, systems });
}

const requestFor = (userId: string) => ({ userId, runId: "run_mail", environment: ENVIRONMENT, signal });

const confirm = (userId: string) => sendConfirmation(requestFor(userId));

async function mailsTo(userId: string) {
  const mails: { id: string; to: string[]; messageId: string; subject: string }[] = await (
    await catcher.app.request("/local/mail")
  ).json();
  return mails.filter(({ to }) => to.includes(`${userId}@example.com`));
}

const refuse = (fault: object) =>
  catcher.app.request("/local/mail/faults", { method: "POST", body: JSON.stringify(fault) });

describe("confirming a deletion", () => {
  it("sends one e-mail, records when, and keeps no address", async () => {
    const userId = await newDeletion();
    expect(await confirm(userId)).toEqual({ userId, confirmation: "sent" });
    expect(await mailsTo(userId)).toHaveLength(1);
    const deletion = await database.deletion(userId);
    expect(JSON.stringify(deletion)).not.toContain("@");
    expect(deletion.confirmationSentAt).toBeInstanceOf(Date);
  });

  it("sends nothing once it is recorded", async () => {
    const userId = await newDeletion();
    await confirm(userId);
    expect(await confirm(userId)).toEqual({ userId, confirmation: "already-sent" });
    expect(await mailsTo(userId)).toHaveLength(1);
  });

  it("sends a second copy with the same Message-ID when the ledger did not hear of the first", async () => {
    const userId = await newDeletion();
    const lost = new Error("killed");
    const send: typeof sendMail = async (mail, limit) => {
      await sendMail(mail, limit);
      throw lost;
    };
    await expect(sendConfirmation(requestFor(userId), { send })).rejects.toBe(lost);
    await confirm(userId);
    const ids = (await mailsTo(userId)).map(({ messageId }) => messageId);
    expect(ids).toEqual(Array(2).fill(`<user-deletion.${userId}@mail.example.com>`));
  });

  it("touches nothing in another environment than the one that began the deletion", async () => {
    const userId = await newDeletion();
    const before = await database.deletion(userId);
    const run = sendConfirmation({ ...requestFor(userId), environment: "proj_tests/env_dev" });
    const error = await run.catch((reason) => reason);
    expect(error.message).toContain(`was begun by ${ENVIRONMENT}`);
    expect(isHopeless(error)).toBe(true);
    expect(await database.deletion(userId)).toEqual(before);
    expect(await mailsTo(userId)).toEqual([]);
  });

  it("says that there is no address", async () => {
    const userId = await newDeletion(null);
    expect(await confirm(userId)).toEqual({ userId, confirmation: "no-address" });
  });

  it("never sends before every system is recorded as clean", async () => {
    // What is configured here does not matter.
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "none");
    const userId = await newDeletion(undefined, ["crm", "billing"]);
    await recordSystemClean(database.db, userId, "crm");
    const error = await confirm(userId).catch((reason) => reason);
    expect(error.message).toBe("Not clean: billing (not recorded as clean)");
    expect(await mailsTo(userId)).toEqual([]);
    await recordSystemClean(database.db, userId, "billing");
    expect((await confirm(userId)).confirmation).toBe("sent");
  });

  it("tries again while the mail server is down or busy", async () => {
    const userId = await newDeletion();
    vi.stubEnv("SMTP_URL", "smtp://127.0.0.1:1");
    const down = await confirm(userId).catch((reason) => reason);
    expect(down.message).toBe("no mail server: ESOCKET");
    expect(isHopeless(down)).toBe(false);
    vi.stubEnv("SMTP_URL", catcher.url);
    await refuse({ status: 451, times: 1 });
    const busy = await confirm(userId).catch((reason) => reason);
    expect(busy.message).toBe("the mail server answered 451 to RCPT TO");
    expect(isHopeless(busy)).toBe(false);
    expect((await confirm(userId)).confirmation).toBe("sent");
  });

  it("does not try again when the mail server refuses for good, and keeps the address out of the error", async () => {
    const userId = await newDeletion();
    await refuse({ status: 550, times: 1 });
    const error = await confirm(userId).catch((reason) => reason);
    expect(error.message).toBe("the mail server answered 550 to RCPT TO");
    expect(isHopeless(error)).toBe(true);
    expect(`${error.stack}${JSON.stringify(error)}${error.cause}`).not.toContain("@example.com");
    expect((await database.deletion(userId)).email).not.toBeNull();
  });

  it("never goes to two recipients, whatever a user called an address", async () => {
    const userId = await newDeletion("someone@example.com, other@example.com");
    const error = await confirm(userId).catch((reason) => reason);
    expect(error.message).toMatch(/^(no mail server|the mail server answered 5)/);
    const mails: { to: string[] }[] = await (await catcher.app.request("/local/mail")).json();
    expect(mails.flatMap(({ to }) => to)).not.toContain("other@example.com");
  });

  it.each(["SMTP_URL", "MAIL_FROM"])("names %s when it is not set, and does not try again", async (name) => {
    vi.stubEnv(name, "");
    const error = await confirm(await newDeletion()).catch((reason) => reason);
    expect(error.message).toContain(`${name} is not set`);
    expect(isHopeless(error)).toBe(true);
  });

  it("needs neither where there is no address", async () => {
    vi.stubEnv("SMTP_URL", "");
    vi.stubEnv("MAIL_FROM", "");
    expect((await confirm(await newDeletion(null))).confirmation).toBe("no-address");
  });

  it("hangs up on a mail server that says nothing when its time is over", async () => {
    const sockets: Socket[] = [];
    const silent = await onFreePort(createServer((socket) => sockets.push(socket)));
    vi.stubEnv("SMTP_URL", `smtp://127.0.0.1:${silent.port}`);
    const deletion = { userId: "1", email: "to@example.com", requestedAt: new Date() };
    const sending = sendMail(confirmationMail(deletion, "from@example.com"), AbortSignal.timeout(300));
    await expect(sending).rejects.toThrow("no answer of the mail server: EABORT");
    expect(sockets).toHaveLength(1);
    await until(() => sockets[0]?.readyState !== "open", { what: "the connection to be closed" });
    await silent.close();
  });

  it("gives up an attempt when the run is cancelled", async () => {
    const run = new AbortController();
    run.abort();
    const userId = await newDeletion();
    await expect(sendConfirmation({ ...requestFor(userId), signal: run.signal })).rejects.toThrow(
      "cancelled",
    );
    expect(await mailsTo(userId)).toEqual([]);
  });
});

describe("the e-mail", () => {
  it("says the same as text and as HTML, and is marked as sent by a machine", async () => {
    const userId = await newDeletion();
    await confirm(userId);
    const [summary] = await mailsTo(userId);
    const mail = await (await catcher.app.request(`/local/mail/${summary?.id}`)).json();
    expect(mail.subject).toBe("Your account has been deleted");
    for (const form of [mail.text, mail.html]) {
      expect(form).toContain("your account was deleted on");
      expect(form).toContain(`Reference: ${userId}`);
    }
    expect(mail.html).toMatch(/^<!doctype html>/);
    expect(mail.headers).toContainEqual({ key: "auto-submitted", value: "auto-generated" });
  });

  it("takes the domain of its Message-ID from either form of MAIL_FROM", () => {
    const deletion = { userId: "1", email: "to@example.com", requestedAt: new Date(0) };
    for (const from of ["me@one.example", "Me <me@one.example>"])
      expect(confirmationMail(deletion, from).messageId).toBe("<user-deletion.1@one.example>");
  });
});
