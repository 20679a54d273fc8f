import { openPages, textOf } from "@aftercommit/local-console/tests/open-pages.ts";
import { createTransport } from "nodemailer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mailPages } from "../console/pages.tsx";
import { type LocalMail, startMail } from "../start.ts";

let mail: LocalMail;
let stack: Awaited<ReturnType<typeof openPages>>;
beforeAll(async () => {
  mail = await startMail({ host: "127.0.0.1", port: 0, log: () => {} });
  stack = await openPages([mailPages(mail.mailbox)]);
});
afterAll(async () => {
  await stack.close();
  await mail.close();
});

const page = async (path: string) => textOf((await stack.get(path)).html);

describe("the pages of the mails", () => {
  test("say that there is none yet", async () => {
    expect(await page("/mails")).toContain("No mail yet");
    expect((await stack.get("/mails/mail_1_00000000")).status).toBe(404);
  });

  test("list a mail and show its texts, envelope and headers, with markup as text", async () => {
    await createTransport(mail.url).sendMail({
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
