import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { startDatabase } from "@/tests/helpers/deletions/deletions-database.ts";
import { ENVIRONMENT, leasedDeletion } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { startSmtp } from "@/tests/helpers/deletions/smtp.ts";
import { deletionsOnPage } from "../status/deletions.ts";
import { afterError } from "./errors.ts";
import { sendConfirmation } from "./send-confirmation.ts";
import { sendMail } from "./send-mail.ts";

const { signal } = new AbortController();
const UTF8 = { replies: { EHLO: "250-mail.test\r\n250-SMTPUTF8\r\n250 AUTH PLAIN" } };

let database: Awaited<ReturnType<typeof startDatabase>>;
let smtp: Awaited<ReturnType<typeof startSmtp>>;
beforeAll(async () => {
  [database, smtp] = await Promise.all([startDatabase(), startSmtp()]);
});
afterAll(() => Promise.all([database.close(), smtp.close()]));
beforeEach(() => {
  vi.stubEnv("SMTP_URL", smtp.url);
  vi.stubEnv("MAIL_FROM", "no-reply@example.com");
});
afterEach(() => {
  vi.unstubAllEnvs();
  smtp.behave({});
});

/** The result of a confirmation to whatever is in the e-mail column, and the recipients that the server received. */
async function confirm(email: string) {
  const id = await leasedDeletion(database.db, { email });
  const before = smtp.recipients().length;
  const run = { deletionId: id, runId: "run_mail", environment: ENVIRONMENT, signal };
  const error = await sendConfirmation(run, { db: database.db, declarations: [users], send: sendMail }).then(
    () => undefined,
    (reason) => reason,
  );
  return { id, error, to: smtp.recipients().slice(before), deletion: await database.deletion(id) };
}

describe("what is in the e-mail column", () => {
  it.each([
    ["ann@example.com", "ann@example.com"],
    [" Ann <ann@example.com> ", "ann@example.com"],
    ["Smith, Ann <ann@example.com>", "ann@example.com"],
    ['"a b"@example.com', '"a b"@example.com'],
    ["ann@bücher.example", "ann@xn--bcher-kva.example"],
  ])("%s is sent to %s alone", async (email, address) => {
    const { error, to, deletion } = await confirm(email);
    expect(error).toBeUndefined();
    expect(to).toEqual([address]);
    expect(deletion).toMatchObject({ email: null, confirmation_sent_at: expect.any(Date) });
  });

  it.each([
    "not an address",
    "ann@example.com, bob@example.com",
    "ann@example.com <bob@example.com>",
    "ann@exa mple.com",
    "friends: ann@example.com;",
    "mailto:ann@example.com",
    "ann@@example.com",
    "ann@",
    "@example.com",
    "ann@example.com\r\nRCPT TO:<bob@example.com>",
  ])("%j gets no e-mail and is kept, and the deletion stays open and says so", async (email) => {
    const { id, error, to, deletion } = await confirm(email);
    expect(error.message).toBe("the e-mail column does not hold one address");
    expect(afterError({ error })).toEqual({ skipRetrying: true });
    expect(to).toEqual([]);
    expect(deletion).toMatchObject({ email, completed_at: null, confirmation_sent_at: null });
    const page = (await deletionsOnPage(database.db)).find((shown) => shown.id === id);
    expect(page?.steps).toMatchObject([{ name: "e-mail", state: "failed" }]);
  });
});

describe("an address that is not ASCII", () => {
  const email = "jörg@example.com";

  it("is not given to a server without SMTPUTF8, which would deliver it to someone else", async () => {
    const { error, to, deletion } = await confirm(email);
    expect(error.message).toBe("the mail server takes no address that is not ASCII (SMTPUTF8)");
    expect(to).toEqual([]);
    expect(deletion).toMatchObject({ email, completed_at: null, confirmation_refused_at: expect.any(Date) });
  });

  it("is given to a server that has it", async () => {
    smtp.behave(UTF8);
    const { error, to } = await confirm(email);
    expect(error).toBeUndefined();
    expect(to).toEqual([email]);
  });

  it("is tried again later when the server does not answer the question", async () => {
    vi.stubEnv("SMTP_URL", "smtp://127.0.0.1:1");
    const { error } = await confirm(email);
    expect(error.message).toBe("no mail server: ESOCKET");
    expect(afterError({ error })).toBeUndefined();
  });
});

it("a password with a literal % is sent to the mail server as it is", async () => {
  vi.stubEnv("SMTP_URL", smtp.url.replace("password", "50%off"));
  expect((await confirm("ann@example.com")).error).toBeUndefined();
  const [, password] = Buffer.from(smtp.logins().at(-1) ?? "", "base64")
    .toString()
    .split("\0")
    .slice(1);
  expect(password).toBe("50%off");
});
