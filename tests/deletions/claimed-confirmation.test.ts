import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { userDeletions } from "../../drizzle/schema.ts";
import { ConfirmationClaimedError, isHopeless } from "../../lib/deletions/errors.ts";
import { sendConfirmation } from "../../lib/deletions/send-confirmation.ts";
import { type SendMail, sendMail } from "../../lib/deletions/send-mail.ts";
import { until } from "../until.ts";
import { startDatabase } from "./database.ts";
import { ENVIRONMENT, heldDeletion } from "./ledger.ts";
import { startSmtp } from "./smtp.ts";

let database: Awaited<ReturnType<typeof startDatabase>>;
let smtp: Awaited<ReturnType<typeof startSmtp>>;

beforeAll(async () => {
  [database, smtp] = await Promise.all([startDatabase(), startSmtp()]);
});
afterAll(() => Promise.all([database.close(), smtp.close()]));

beforeEach(() => {
  vi.stubEnv("DATABASE_URL", database.url);
  vi.stubEnv("SMTP_URL", smtp.url);
  vi.stubEnv("MAIL_FROM", "no-reply@mail.example.com");
  smtp.behave({});
});
afterEach(() => vi.unstubAllEnvs());

async function newDeletion() {
  const userId = randomUUID();
  return heldDeletion(database.db, { userId, email: `${userId}@example.com` });
}

type Deps = Parameters<typeof sendConfirmation>[1];

const confirm = (userId: string, runId: string, deps?: Deps, signal = new AbortController().signal) =>
  sendConfirmation({ userId, runId, environment: ENVIRONMENT, signal }, deps);

const failureOf = (...args: Parameters<typeof confirm>) => confirm(...args).catch((error) => error);

const copiesOf = (userId: string) => smtp.messagesTo(`${userId}@example.com`);

const ageClaim = (userId: string, seconds: number) =>
  database.db
    .update(userDeletions)
    .set({ confirmationClaimedAt: sql`now() - ${seconds} * interval '1 second'` })
    .where(sql`user_id = ${userId}`);

describe("two runs that confirm one deletion", () => {
  it("send one e-mail: the one that comes later waits for its retry until the claim is over", async () => {
    const userId = await newDeletion();
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slowly: SendMail = async (mail, signal) => {
      await held;
      await sendMail(mail, signal);
    };
    const first = confirm(userId, "run_1", { send: slowly });
    await until(async () => (await database.deletion(userId)).confirmationClaimedBy === "run_1");
    const refused = await failureOf(userId, "run_2");
    expect(refused).toBeInstanceOf(ConfirmationClaimedError);
    expect(isHopeless(refused)).toBe(false);
    const { confirmationClaimedAt } = await database.deletion(userId);
    expect(refused.until).toEqual(new Date((confirmationClaimedAt?.getTime() ?? 0) + 120_000));
    goOn();
    expect((await first).confirmation).toBe("sent");
    expect((await confirm(userId, "run_2")).confirmation).toBe("already-sent");
    expect(copiesOf(userId)).toHaveLength(1);
    expect(await database.deletion(userId)).toMatchObject({
      email: null,
      confirmationClaimedBy: null,
      confirmationClaimedAt: null,
    });
  });

  it("send one e-mail when ten begin at the same moment", async () => {
    const userId = await newDeletion();
    const runs = Array.from({ length: 10 }, (_, index) => confirm(userId, `run_${index}`));
    const outcomes = await Promise.allSettled(runs);
    expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBeGreaterThan(0);
    expect(copiesOf(userId)).toHaveLength(1);
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
  ] as const)("is given back after %s: another run may send at once", async (_, behaviour, message) => {
    const userId = await newDeletion();
    smtp.behave(behaviour);
    expect((await failureOf(userId, "run_1")).message).toBe(message);
    expect((await database.deletion(userId)).confirmationClaimedBy).toBeNull();
    smtp.behave({});
    expect((await confirm(userId, "run_2")).confirmation).toBe("sent");
  });

  it.each([
    ["no mail server", "SMTP_URL", "smtp://127.0.0.1:1", "no mail server: ESOCKET"],
    ["an unknown host", "SMTP_URL", "smtp://nowhere.invalid", "no mail server: EDNS"],
    ["no SMTP_URL", "SMTP_URL", "", "SMTP_URL is not set"],
  ])("is given back after %s", async (_, name, value, message) => {
    const userId = await newDeletion();
    vi.stubEnv(name, value);
    expect((await failureOf(userId, "run_1")).message).toContain(message);
    expect((await database.deletion(userId)).confirmationClaimedBy).toBeNull();
  });

  it("stays when the connection is lost after the message: nobody knows whether it was accepted", async () => {
    const userId = await newDeletion();
    smtp.behave({ atEnd: "drop" });
    const lost = await failureOf(userId, "run_1");
    expect(lost.message).toBe("no answer of the mail server: ECONNECTION");
    expect(isHopeless(lost)).toBe(false);
    expect((await database.deletion(userId)).confirmationClaimedBy).toBe("run_1");
    smtp.behave({});
    expect(await failureOf(userId, "run_2")).toBeInstanceOf(ConfirmationClaimedError);
    expect(copiesOf(userId)).toHaveLength(1);
  });

  it("stays when the run is cancelled while the mail server has the message and does not answer", async () => {
    const userId = await newDeletion();
    smtp.behave({ atEnd: "hang" });
    const run = new AbortController();
    const failure = failureOf(userId, "run_1", undefined, run.signal);
    await until(() => copiesOf(userId).length === 1);
    run.abort();
    expect((await failure).message).toBe("the run was cancelled");
    expect((await database.deletion(userId)).confirmationClaimedBy).toBe("run_1");
  });

  it("is another run's when its two minutes are over, and a second copy has the same Message-ID", async () => {
    const userId = await newDeletion();
    smtp.behave({ atEnd: "drop" });
    await failureOf(userId, "run_1");
    smtp.behave({});
    await ageClaim(userId, 119);
    expect(await failureOf(userId, "run_2")).toBeInstanceOf(ConfirmationClaimedError);
    await ageClaim(userId, 121);
    expect((await confirm(userId, "run_2")).confirmation).toBe("sent");
    const ids = copiesOf(userId).map((message) => /^Message-ID:\s*(<.*>)$/im.exec(message)?.[1]);
    expect(ids).toEqual(Array(2).fill(`<user-deletion.${userId}@mail.example.com>`));
  });

  it("is no obstacle to the next attempt of the same run, whose last one is over", async () => {
    const userId = await newDeletion();
    smtp.behave({ atEnd: "drop" });
    await failureOf(userId, "run_1");
    smtp.behave({});
    expect((await confirm(userId, "run_1")).confirmation).toBe("sent");
  });
});

describe("a ledger that fails after the mail server accepted", () => {
  it("is written when it works again, and no second copy is sent", async () => {
    const userId = await newDeletion();
    await database.db.execute(sql`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'down'; end $$`);
    await database.db.execute(sql`
      create trigger refuse before update on user_deletions for each row
      when (new.confirmation_sent_at is not null) execute function refuse()`);
    const confirmed = confirm(userId, "run_1");
    await until(() => copiesOf(userId).length === 1);
    await database.db.execute(sql`drop trigger refuse on user_deletions`);
    expect((await confirmed).confirmation).toBe("sent");
    expect((await confirm(userId, "run_1")).confirmation).toBe("already-sent");
    expect(copiesOf(userId)).toHaveLength(1);
  });
});

describe("an address that the mail server refuses for good", () => {
  it.each([
    ["the recipient", { replies: { RCPT: "550 5.1.1 no" } }],
    ["the message", { atEnd: "554 5.6.0 no" }],
  ] as const)("is noted when it is %s, with the first time it happened", async (_, behaviour) => {
    const userId = await newDeletion();
    smtp.behave(behaviour);
    expect(isHopeless(await failureOf(userId, "run_1"))).toBe(true);
    const { confirmationRefusedAt } = await database.deletion(userId);
    expect(confirmationRefusedAt).toBeInstanceOf(Date);
    await failureOf(userId, "run_2");
    expect((await database.deletion(userId)).confirmationRefusedAt).toEqual(confirmationRefusedAt);
    smtp.behave({});
    await confirm(userId, "run_3");
    expect((await database.deletion(userId)).confirmationRefusedAt).toBeNull();
  });

  it.each([
    ["a wrong password", { replies: { AUTH: "535 5.7.8 no" } }],
    ["a refused sender", { replies: { MAIL: "550 5.7.1 no" } }],
    ["a busy recipient", { replies: { RCPT: "451 4.2.1 later" } }],
  ] as const)("is not %s", async (_, behaviour) => {
    const userId = await newDeletion();
    smtp.behave(behaviour);
    await failureOf(userId, "run_1");
    expect((await database.deletion(userId)).confirmationRefusedAt).toBeNull();
  });
});
