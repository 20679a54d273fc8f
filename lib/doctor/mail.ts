import { createTransport, type NodemailerError } from "nodemailer";
import { required } from "../env.ts";
import { type Check, good, problem } from "./check.ts";
import { placeOf } from "./on-this-machine.ts";

const LIMIT_MS = 5_000;

function problemOf({ code, command, responseCode, response, message }: NodemailerError) {
  if (responseCode === undefined) return problem(`no mail server: ${message}`);
  const seen = `answers ${responseCode} to ${command ?? "the greeting"}: ${response ?? ""}`;
  return problem(
    seen,
    code === "EAUTH" ? "Correct user and password in SMTP_URL, percent-encoded" : undefined,
  );
}

/** Whether the mail server lets the tasks in; nothing is sent. */
export const mail = (): Check[] => [
  {
    id: "mail.login",
    description: "the mail server of SMTP_URL answers and takes the login",
    hint: "Correct SMTP_URL: smtp://user:password@host:587 or smtps://user:password@host:465",
    async run() {
      const url = required("SMTP_URL");
      const transport = createTransport({
        url,
        disableFileAccess: true,
        disableUrlAccess: true,
        connectionTimeout: LIMIT_MS,
        greetingTimeout: LIMIT_MS,
        socketTimeout: LIMIT_MS,
      });
      try {
        await transport.verify();
        return good(placeOf(url));
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        return problemOf(error);
      } finally {
        transport.close();
      }
    },
  },
  {
    id: "mail.sender",
    description: "MAIL_FROM is a sender",
    hint: "Set MAIL_FROM to what the mail server lets you send as: Example <hello@example.com>",
    run: async () => good(required("MAIL_FROM")),
  },
];
