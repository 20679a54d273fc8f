import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { startDatabase } from "@/tests/helpers/deletions/deletions-database.ts";
import { ENVIRONMENT, leasedDeletion } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { startSmtp } from "@/tests/helpers/deletions/smtp.ts";
import { until } from "@/tests/helpers/until.ts";
import { afterError } from "./errors.ts";
import { sendConfirmation } from "./send-confirmation.ts";
import { type SendMail, sendMail } from "./send-mail.ts";

let database: Awaited<ReturnType<typeof startDatabase>>;
let smtp: Awaited<ReturnType<typeof startSmtp>>;

beforeAll(async () => {
  [database, smtp] = await Promise.all([startDatabase(), startSmtp()]);
});
afterAll(() => Promise.all([database.close(), smtp.close()]));

beforeEach(() => {
  vi.stubEnv("SMTP_URL", smtp.url);
  vi.stubEnv("MAIL_FROM", "no-reply@mail.example.com");
  smtp.behave({});
});
afterEach(() => vi.unstubAllEnvs());

async function newDeletion() {
  const email = `${randomUUID()}@example.com`;
  return { id: await leasedDeletion(database.db, { email }), email };
}

const confirm = (
  deletionId: string,
  runId: string,
  { send = sendMail, signal = new AbortController().signal } = {},
) =>
  sendConfirmation(
    { deletionId, runId, environment: ENVIRONMENT, signal },
    { db: database.db, declarations: [users], send },
  );

const failureOf = (...args: Parameters<typeof confirm>) => confirm(...args).catch((error) => error);

const isClaimed = expect.objectContaining({ message: "Another run is sending the confirmation" });

const ageClaim = (id: string, seconds: number) =>
  database.db.execute(sql`update aftercommit.deletions
    set confirmation_claimed_at = now() - ${seconds} * interval '1 second' where id = ${id}`);

describe("two runs that confirm one deletion", () => {
  it("send one e-mail: the later one waits for its retry until the claim is over", async () => {
    const { id, email } = await newDeletion();
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slowly: SendMail = async (mail, signal) => {
      await held;
      await sendMail(mail, signal);
    };
    const first = confirm(id, "run_1", { send: slowly });
    await until(async () => (await database.deletion(id)).confirmation_claimed_by === "run_1");
    const refused = await failureOf(id, "run_2");
    expect(refused).toEqual(isClaimed);
    const { confirmation_claimed_at: claimedAt } = await database.deletion(id);
    const retryAt = new Date((claimedAt?.getTime() ?? 0) + 120_000);
    expect(afterError({ error: refused })).toEqual({ retryAt });
    goOn();
    expect((await first).confirmation).toBe("sent");
    expect((await confirm(id, "run_2")).confirmation).toBe("already-sent");
    expect(smtp.messagesTo(email)).toHaveLength(1);
    expect(await database.deletion(id)).toMatchObject({
      email: null,
      confirmation_claimed_by: null,
      confirmation_claimed_at: null,
    });
  });

  it("send one e-mail when ten begin at the same moment", async () => {
    const { id, email } = await newDeletion();
    const runs = Array.from({ length: 10 }, (_, index) => confirm(id, `run_${index}`));
    const outcomes = await Promise.allSettled(runs);
    expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBeGreaterThan(0);
    expect(smtp.messagesTo(email)).toHaveLength(1);
  });
});

describe("a claim", () => {
  it.each([
    [
      "a busy recipient",
      { replies: { RCPT: "451 4.2.1 later" } },
      "the mail server answered 451 4.2.1 to RCPT TO",
    ],
    [
      "a refused recipient",
      { replies: { RCPT: "550 5.1.1 no" } },
      "the mail server answered 550 5.1.1 to RCPT TO",
    ],
    [
      "a wrong password",
      { replies: { AUTH: "535 5.7.8 no" } },
      "the mail server answered 535 5.7.8 to AUTH PLAIN",
    ],
    ["a refused message", { atEnd: "554 5.6.0 no" }, "the mail server answered 554 5.6.0 to DATA"],
    ["a deferred message", { atEnd: "452 4.3.1 full" }, "the mail server answered 452 4.3.1 to DATA"],
    ["a server that closes", { atEnd: "421 4.3.2 bye" }, "the mail server answered 421 4.3.2 to DATA"],
  ] as const)("is released after %s: another run may send immediately", async (_, behavior, message) => {
    const { id } = await newDeletion();
    smtp.behave(behavior);
    expect((await failureOf(id, "run_1")).message).toBe(message);
    expect((await database.deletion(id)).confirmation_claimed_by).toBeNull();
    smtp.behave({});
    expect((await confirm(id, "run_2")).confirmation).toBe("sent");
  });

  it.each([
    ["no mail server", "SMTP_URL", "smtp://127.0.0.1:1", "no mail server: ESOCKET"],
    ["an unknown host", "SMTP_URL", "smtp://nowhere.invalid", "no mail server: EDNS"],
    ["no SMTP_URL", "SMTP_URL", "", "SMTP_URL is not set"],
  ])("is released after %s", async (_, name, value, message) => {
    const { id } = await newDeletion();
    vi.stubEnv(name, value);
    expect((await failureOf(id, "run_1")).message).toContain(message);
    expect((await database.deletion(id)).confirmation_claimed_by).toBeNull();
  });

  it("stays when the connection is lost after the message: it is unknown whether it was accepted", async () => {
    const { id, email } = await newDeletion();
    smtp.behave({ atEnd: "drop" });
    const lost = await failureOf(id, "run_1");
    expect(lost.message).toBe("no answer of the mail server: ECONNECTION");
    expect(afterError({ error: lost })).toBeUndefined();
    expect((await database.deletion(id)).confirmation_claimed_by).toBe("run_1");
    smtp.behave({});
    expect(await failureOf(id, "run_2")).toEqual(isClaimed);
    expect(smtp.messagesTo(email)).toHaveLength(1);
  });

  it("stays when the run is canceled while the mail server has the message and does not answer", async () => {
    const { id, email } = await newDeletion();
    smtp.behave({ atEnd: "hang" });
    const run = new AbortController();
    const failure = failureOf(id, "run_1", { signal: run.signal });
    await until(() => smtp.messagesTo(email).length === 1);
    run.abort();
    expect((await failure).message).toBe("the run was cancelled");
    expect((await database.deletion(id)).confirmation_claimed_by).toBe("run_1");
  });

  it("is another run's when its two minutes are over, and a second copy has the same Message-ID", async () => {
    const { id, email } = await newDeletion();
    smtp.behave({ atEnd: "drop" });
    await failureOf(id, "run_1");
    smtp.behave({});
    await ageClaim(id, 119);
    expect(await failureOf(id, "run_2")).toEqual(isClaimed);
    await ageClaim(id, 121);
    expect((await confirm(id, "run_2")).confirmation).toBe("sent");
    const { requested_at: at } = await database.deletion(id);
    const ids = smtp.messagesTo(email).map((message) => /^Message-ID:\s*(<.*>)$/im.exec(message)?.[1]);
    expect(ids).toEqual(Array(2).fill(`<user-deletion.${id}.${at.getTime()}@mail.example.com>`));
  });

  it("does not block the next attempt of the same run, whose last one is over", async () => {
    const { id } = await newDeletion();
    smtp.behave({ atEnd: "drop" });
    await failureOf(id, "run_1");
    smtp.behave({});
    expect((await confirm(id, "run_1")).confirmation).toBe("sent");
  });
});

describe("a ledger that fails after the mail server accepted", () => {
  it("is written when it works again, and no second copy is sent", async () => {
    const { id, email } = await newDeletion();
    await database.db.execute(sql`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'down'; end $$`);
    await database.db.execute(sql`
      create trigger refuse before update on aftercommit.deletions for each row
      when (new.confirmation_sent_at is not null) execute function refuse()`);
    const confirmed = confirm(id, "run_1");
    await until(() => smtp.messagesTo(email).length === 1);
    await database.db.execute(sql`drop trigger refuse on aftercommit.deletions`);
    expect((await confirmed).confirmation).toBe("sent");
    expect((await confirm(id, "run_1")).confirmation).toBe("already-sent");
    expect(smtp.messagesTo(email)).toHaveLength(1);
  });
});

describe("an address that bounces", () => {
  it.each([
    ["the recipient", { replies: { RCPT: "550 5.1.1 no" } }],
    ["the message", { atEnd: "554 5.6.0 no" }],
  ] as const)("is noted when it is %s, with the first time it happened", async (_, behavior) => {
    const { id } = await newDeletion();
    smtp.behave(behavior);
    expect(afterError({ error: await failureOf(id, "run_1") })).toEqual({ skipRetrying: true });
    const { confirmation_refused_at: bouncedAt } = await database.deletion(id);
    expect(bouncedAt).toBeInstanceOf(Date);
    await failureOf(id, "run_2");
    expect((await database.deletion(id)).confirmation_refused_at).toEqual(bouncedAt);
    smtp.behave({});
    await confirm(id, "run_3");
    expect((await database.deletion(id)).confirmation_refused_at).toBeNull();
  });

  it.each([
    ["a wrong password", { replies: { AUTH: "535 5.7.8 no" } }],
    ["a refused sender", { replies: { MAIL: "550 5.7.1 no" } }],
    ["a busy recipient", { replies: { RCPT: "451 4.2.1 later" } }],
  ] as const)("is not %s", async (_, behavior) => {
    const { id } = await newDeletion();
    smtp.behave(behavior);
    await failureOf(id, "run_1");
    expect((await database.deletion(id)).confirmation_refused_at).toBeNull();
  });
});
