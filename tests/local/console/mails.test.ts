import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConsoleStack, startConsoleStack, textOf } from "./console-stack.ts";

let stack: ConsoleStack;
beforeAll(async () => {
  stack = await startConsoleStack();
});
afterAll(() => stack.close());

const page = async (path: string) => textOf((await stack.get(path)).html);

describe("the pages of the mails", () => {
  test("say that there is none yet", async () => {
    expect(await page("/mails")).toContain("No mail yet");
    expect((await stack.get("/mails/mail_1_00000000")).status).toBe(404);
  });

  test("list a mail and show its texts, envelope and headers, with markup as text", async () => {
    await stack.transport.sendMail({
      from: "app@example.com",
      to: "john.doe@example.com",
      subject: "Deleted <script>alert(1)</script>",
      text: "Your account & data are gone. <script>alert(2)</script>",
      html: '<p style="color: red">Gone</p><script>alert(3)</script>',
      messageId: "<one@example.com>",
    });
    expect(await page("/mails")).toContain("Deleted <script>alert(1)</script> john.doe@example.com");
    const path = /\/mails\/mail_\w+/.exec((await stack.get("/mails")).html)?.[0] ?? "";
    const { html } = await stack.get(path);
    for (const shown of [
      "Your account & data are gone.",
      "john.doe@example.com",
      "<one@example.com>",
      "message-id:",
    ])
      expect(textOf(html)).toContain(shown);
    expect(html).not.toContain("<script>alert");
  });

  test("show the HTML in a frame that runs no script and loads nothing", async () => {
    const path = /\/mails\/mail_\w+/.exec((await stack.get("/mails")).html)?.[0] ?? "";
    expect((await stack.get(path)).html).toContain(`src="${path}/html" sandbox=""`);
    const { html, headers } = await stack.get(`${path}/html`);
    expect(html).toContain('<p style="color: red">Gone</p>');
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:;/);
    expect(policy).toContain("frame-ancestors 'self'");
  });
});

describe("the page of deletion calls", () => {
  test("lists the signed calls and how they were answered", async () => {
    const userId = "6f2c2a51-93a5-4f0a-8a52-3a9d4b3e6c11";
    const body = JSON.stringify({
      type: "user.deleted",
      timestamp: new Date().toISOString(),
      data: { user_id: userId },
    });
    const at = new Date();
    const headers = {
      "webhook-id": "msg_1",
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": new Webhook(stack.secret).sign("msg_1", at, body),
    };
    await fetch(`${stack.url}/local/external-system/crm/user-deleted`, { method: "POST", headers, body });
    expect(await page("/external-system")).toMatch(new RegExp(`${userId} crm .*204 msg_1`));
  });
});
