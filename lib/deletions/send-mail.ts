import { createTransport, type NodemailerError } from "nodemailer";
import { required } from "../env.ts";
import type { Mail } from "./confirmation-mail.ts";
import { MailRefusedError } from "./errors.ts";

/** Hands a message to a mail server; resolves when the server has accepted it. */
export type SendMail = (mail: Mail, signal: AbortSignal) => Promise<void>;

// The server's own words may quote the address, which has no place in a log or in Trigger.dev.
function withoutAddress(error: NodemailerError): Error {
  const { responseCode, response, command, code } = error;
  const status = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response ?? "")?.[1];
  const said = [responseCode, status, command && `to ${command}`].filter(Boolean).join(" ");
  if (error.permanent) return new MailRefusedError(`the mail server answered ${said}`);
  return new Error(responseCode ? `the mail server answered ${said}` : `no mail server: ${code}`);
}

/**
 * Sends through SMTP_URL.
 * Rejects with MailRefusedError when the server refuses for good (5xx), with an Error when it may accept later.
 */
export const sendMail: SendMail = async (mail, signal) => {
  const transport = createTransport({
    url: required("SMTP_URL"),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({
      ...mail,
      // An object is one recipient, whatever is in the address; a text would be split at its commas.
      to: { name: "", address: mail.to },
      // RFC 3834: keeps holiday notices and the like from being sent back.
      headers: { "auto-submitted": "auto-generated" },
      signal,
    });
  } catch (error) {
    throw error instanceof Error ? withoutAddress(error) : error;
  } finally {
    transport.close();
  }
};
