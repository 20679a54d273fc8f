import { createTransport, type NodemailerError } from "nodemailer";
import addressparser from "nodemailer/lib/addressparser";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import { required } from "../env/env.ts";
import type { Mail } from "./confirmation-mail.ts";
import { MailError } from "./errors.ts";

/** Sends a message to a mail server. Resolves when the server has accepted it. */
export type SendMail = (mail: Mail, signal: AbortSignal) => Promise<void>;

// nodemailer's codes for failures before the message is sent, apart from replies of the server.
const BEFORE_THE_MESSAGE =
  /^(EDNS|ETLS|EAUTH|ENOAUTH|EOAUTH2|EENVELOPE|ECONFIG|EPROXY|EMESSAGE|EREQUIRETLS)$/;

const isBeforeTheMessage = ({ code, syscall, timeoutType }: NodemailerError) =>
  BEFORE_THE_MESSAGE.test(code ?? "") ||
  syscall === "connect" ||
  (timeoutType !== undefined && timeoutType !== "SOCKET_TIMEOUT");

function refused({ responseCode, response, command, permanent }: NodemailerError): MailError {
  const status = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response ?? "")?.[1];
  const answer = [responseCode, status, command && `to ${command}`].filter(Boolean).join(" ");
  // Other commands say nothing about the address: a 535 to AUTH is a wrong password.
  const bounced = permanent && /^(RCPT TO|DATA)$/.test(command ?? "");
  return new MailError(`the mail server answered ${answer}`, {
    notSent: true,
    retryable: !permanent,
    bounced,
  });
}

// The server's own message may quote the address, which must not reach a log or Trigger.dev.
function withoutAddress(error: NodemailerError): MailError {
  const { responseCode = 0, code } = error;
  if (responseCode >= 400) return refused(error);
  return isBeforeTheMessage(error)
    ? new MailError(`no mail server: ${code}`, { notSent: true })
    : new MailError(`no answer of the mail server: ${code}`, { notSent: false });
}

const MAILBOX = /^(?:"(?:[^"\\]|\\.)*"|[^\s@<>"]+)@[^\s@<>"]+$/;

/** Whether the part of an address before the @ is ASCII. A non-ASCII domain has an ASCII form. */
const isAscii = (address: string) => /^[\x20-\x7e]*$/.test(address.slice(0, address.lastIndexOf("@")));

/**
 * The one address in a text, as nodemailer reads it: `Ann <ann@example.com>` holds one. Undefined if the text holds
 * none, or is ambiguous.
 */
export function addressOf(text: string): string | undefined {
  const [only, ...others] = addressparser(text);
  if (!only?.address || others.length > 0) return undefined;
  // nodemailer reads `ann@exa mple.com` as an address and a name.
  const isPlain = only.name === "" || text.trimEnd().endsWith(`<${only.address}>`);
  const isOnlyOne = text.split("@").length === 2;
  return isPlain && isOnlyOne && MAILBOX.test(only.address) ? only.address : undefined;
}

/**
 * Whether a mail server accepts non-ASCII addresses, according to its response to EHLO (rfc-editor.org/rfc/rfc6531).
 * nodemailer would send one to any server, and some servers deliver it to someone else. Rejects like nodemailer.
 */
async function takesUtf8(options: ConstructorParameters<typeof SMTPConnection>[0]): Promise<boolean> {
  const connection = new SMTPConnection(options);
  try {
    await new Promise<void>((resolve, reject) => {
      connection.once("error", reject);
      connection.connect(() => resolve());
    });
    return /[ -]SMTPUTF8\b/i.test(connection.lastServerResponse || "");
  } finally {
    connection.close();
  }
}

const refusedAddress = (message: string) =>
  new MailError(message, { notSent: true, retryable: false, bounced: true });

/**
 * Sends through SMTP_URL. Rejects with MailError, which is not retryable if the server permanently rejects the message
 * (an SMTP reply 5xx), or if the text in the row is not one address, or not one that the server can deliver to.
 */
export const sendMail: SendMail = async (mail, signal) => {
  const address = addressOf(mail.to);
  if (address === undefined) throw refusedAddress("the e-mail column does not hold one address");
  const transport = createTransport({
    url: required("SMTP_URL"),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    if (!isAscii(address) && !(await takesUtf8(transport.options)))
      throw refusedAddress("the mail server takes no address that is not ASCII (SMTPUTF8)");
    await transport.sendMail({
      ...mail,
      // An object is one recipient, whatever its address contains; a text would be split at commas.
      to: { name: "", address },
      // RFC 3834: prevents automatic replies such as vacation notices.
      headers: { "auto-submitted": "auto-generated" },
      signal,
    });
  } catch (error) {
    throw error instanceof Error && !(error instanceof MailError) ? withoutAddress(error) : error;
  } finally {
    transport.close();
  }
};
