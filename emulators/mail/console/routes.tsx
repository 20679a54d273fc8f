/** @jsxImportSource hono/jsx */

import { answerPage } from "@aftercommit/local-shared/answer-page.ts";
import { answerMissing } from "@aftercommit/local-shared/elements/not-here.tsx";
import { type Context, Hono } from "hono";
import type { Mailbox } from "../mailbox.ts";
import { MailList } from "./mail-list.tsx";
import { MailView } from "./mail-page.tsx";

const place = "/mails";

// A URL instead of srcdoc: a srcdoc document also has the page's policy, under which an e-mail has no styles.
const MAIL_POLICY =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'self'";

/** An e-mail's own HTML runs no script and loads nothing. */
export function mailRoutes(mailbox: Pick<Mailbox, "list" | "find">): Hono {
  const app = new Hono();
  const missing = (c: Context) =>
    answerMissing(c, { place, what: "There is no such mail. The last 100 are kept." });

  app.get("/mails", (c) =>
    answerPage(c, { title: "Mails", place, body: <MailList mails={mailbox.list()} /> }),
  );
  app.get("/mails/:id", (c) => {
    const mail = mailbox.find(c.req.param("id"));
    if (!mail) return missing(c);
    return answerPage(c, { title: mail.subject || "Mail", place, body: <MailView mail={mail} /> });
  });
  app.get("/mails/:id/html", (c) => {
    const mail = mailbox.find(c.req.param("id"));
    return mail ? c.html(mail.html, 200, { "content-security-policy": MAIL_POLICY }) : missing(c);
  });
  return app;
}
