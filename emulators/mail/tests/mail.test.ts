import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openMailbox } from "../mailbox.ts";
import { type LocalMail, startMail } from "../start.ts";

let dataDir: string;
const open: LocalMail[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "mail-"));
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((mail) => mail.close()));
  await rm(dataDir, { recursive: true });
});

async function start(options: { dataDir?: string; port?: number; log?: (line: string) => void } = {}) {
  const mail = await startMail({ host: "127.0.0.1", port: 0, log: () => {}, ...options });
  open.push(mail);
  return mail;
}

async function stop(mail: LocalMail) {
  open.splice(open.indexOf(mail), 1);
  await mail.close();
}

const send = ({ url }: LocalMail, subject = "Grüße") =>
  createTransport(url).sendMail({
    from: "Sender <from@example.com>",
    to: "to@example.com",
    subject,
    text: "Plain ✓",
    html: "<p>Rich ✓</p>",
    messageId: "<one@example.com>",
  });

const list = async ({ app }: LocalMail) => (await app.request("/local/mail")).json();

const setFault = ({ app }: LocalMail, fault: object) =>
  app.request("/local/mail/faults", { method: "POST", body: JSON.stringify(fault) });

describe("the mail catcher", () => {
  it("keeps what it was sent, with envelope, subject, Message-ID and both forms of the text", async () => {
    const mail = await start();
    await send(mail);
    const [summary, ...others] = await list(mail);
    expect(others).toEqual([]);
    expect(summary).toMatchObject({
      from: "from@example.com",
      to: ["to@example.com"],
      subject: "Grüße",
      messageId: "<one@example.com>",
    });
    const whole = await (await mail.app.request(`/local/mail/${summary.id}`)).json();
    expect(whole.text.trim()).toBe("Plain ✓");
    expect(whole.html.trim()).toBe("<p>Rich ✓</p>");
  });

  it("lists the newest first and answers 404 for a message that it does not have", async () => {
    const mail = await start();
    await send(mail, "first");
    await send(mail, "second");
    expect((await list(mail)).map(({ subject }: { subject: string }) => subject)).toEqual([
      "second",
      "first",
    ]);
    expect((await mail.app.request("/local/mail/mail_1_00000000")).status).toBe(404);
  });

  it("keeps the last 100 messages only", async () => {
    const mailbox = await openMailbox(dataDir);
    for (let count = 1; count <= 102; count += 1)
      await mailbox.add({
        from: "from@example.com",
        to: ["to@example.com"],
        subject: `message ${count}`,
        messageId: null,
        text: "",
        html: "",
        headers: [],
      });
    expect(mailbox.list()).toHaveLength(100);
    expect(mailbox.list().at(-1)?.subject).toBe("message 3");
    expect(await readdir(dataDir)).toHaveLength(100);
  });

  it("has its messages again after a restart, and passes over one that a kill cut off", async () => {
    const first = await start({ dataDir });
    await send(first, "kept");
    await stop(first);
    await writeFile(join(dataDir, "mail_9999999999999_ffffffff.json.part"), '{"id":"mail_99');
    const second = await start({ dataDir });
    expect(await list(second)).toMatchObject([{ subject: "kept" }]);
  });

  it("takes any user and password", async () => {
    const mail = await start();
    const url = mail.url.replace("smtp://", "smtp://someone:secret@");
    await createTransport(url).sendMail({ from: "a@example.com", to: "b@example.com", text: "x" });
    expect(await list(mail)).toHaveLength(1);
  });

  it("refuses recipients with the status it is told, as often as it is told", async () => {
    const mail = await start();
    await setFault(mail, { status: 451, times: 1 });
    await expect(send(mail)).rejects.toMatchObject({ responseCode: 451 });
    await send(mail);
    await setFault(mail, { status: 550 });
    await expect(send(mail)).rejects.toMatchObject({ responseCode: 550 });
    await expect(send(mail)).rejects.toMatchObject({ responseCode: 550 });
    await mail.app.request("/local/mail/faults", { method: "DELETE" });
    await send(mail);
    expect(await list(mail)).toHaveLength(2);
  });

  it("accepts a message and loses the answer, as often as it is told", async () => {
    const mail = await start();
    await setFault(mail, { drops: true, times: 1 });
    await expect(send(mail)).rejects.toThrow(/closed/i);
    await send(mail);
    expect(await list(mail)).toHaveLength(2);
  });

  it("does not take a fault that is none, nor one from a page of another site", async () => {
    const mail = await start();
    expect((await setFault(mail, { status: 200 })).status).toBe(400);
    const foreign = await mail.app.request("/local/mail/faults", {
      method: "POST",
      headers: { origin: "https://example.com" },
      body: JSON.stringify({ status: 550 }),
    });
    expect(foreign.status).toBe(403);
    await send(mail);
  });

  it("tells the terminal of each message without an address or a body", async () => {
    const lines: string[] = [];
    const mail = await start({ log: (line) => lines.push(line) });
    await send(mail, "Hello");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^mail_\d+_[0-9a-f]{8} "Hello"$/);
  });

  it("says so when its port is taken", async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
