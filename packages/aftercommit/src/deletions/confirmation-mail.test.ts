import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startMail } from "@/emulators/mail/start.ts";
import { onFreePort } from "@/tests/helpers/on-free-port.ts";
import { until } from "@/tests/helpers/until.ts";
import { confirmationMail } from "./confirmation-mail.ts";
import { sendMail } from "./send-mail.ts";

const deletion = { key: "user-deletion.1.0", rowId: "7", email: "to@example.com", requestedAt: new Date(0) };

afterEach(() => vi.unstubAllEnvs());

describe("the e-mail that confirms a deletion", () => {
  it("says the same as text and as HTML, and is marked as automatic", async () => {
    const catcher = await startMail({ host: "127.0.0.1", port: 0, log: () => {} });
    vi.stubEnv("SMTP_URL", catcher.url);
    await sendMail(confirmationMail(deletion, "from@example.com"), new AbortController().signal);
    const [summary] = await (await catcher.app.request("/local/mail")).json();
    const mail = await (await catcher.app.request(`/local/mail/${summary.id}`)).json();
    expect(mail.subject).toBe("Your account has been deleted");
    for (const form of [mail.text, mail.html]) {
      expect(form).toContain("your account was deleted on 1 January 1970");
      expect(form).toContain("Reference: 7");
    }
    expect(mail.html).toMatch(/^<!doctype html>/);
    expect(mail.headers).toContainEqual({ key: "auto-submitted", value: "auto-generated" });
    await catcher.close();
  });

  it("takes no markup from a key that is text", () => {
    const { text, html } = confirmationMail({ ...deletion, rowId: "<b>&" }, "from@example.com");
    expect(text).toContain("Reference: <b>&");
    expect(html).toContain("Reference: &#60;b&#62;&#38;");
  });

  it.each(["me@one.example", "Me <me@one.example>"])("has a Message-ID of the domain of %s", (from) => {
    expect(confirmationMail(deletion, from).messageId).toBe("<user-deletion.1.0@one.example>");
  });

  it("is given up, and the connection closed, when a mail server does not answer in time", async () => {
    const sockets: Socket[] = [];
    const deadline = new AbortController();
    const accept = (socket: Socket) => {
      sockets.push(socket);
      deadline.abort();
    };
    const silent = await onFreePort(createServer(accept));
    vi.stubEnv("SMTP_URL", `smtp://127.0.0.1:${silent.port}`);
    const sending = sendMail(confirmationMail(deletion, "from@example.com"), deadline.signal);
    await expect(sending).rejects.toThrow("no answer of the mail server: EABORT");
    expect(sockets).toHaveLength(1);
    await until(() => sockets[0]?.readyState !== "open", { what: "the connection to be closed" });
    await silent.close();
  });
});
