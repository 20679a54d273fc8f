import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Hono } from "hono";
import { createApp, type MailFault } from "./app.ts";
import { type Mailbox, openMailbox } from "./mailbox.ts";
import { listenForMail } from "./smtp.ts";

export type MailOptions = {
  host: string;
  /** 0 uses any free port. */
  port: number;
  /** The folder that keeps the messages. Default: in memory. */
  dataDir?: string;
  log: Log;
};

export type LocalMail = {
  /** For SMTP_URL. */
  url: string;
  port: number;
  /** Routes below /local/mail, for the caller to serve. */
  app: Hono;
  mailbox: Pick<Mailbox, "list" | "find">;
  close(): Promise<void>;
};

/**
 * Starts an SMTP server that keeps the last 100 messages instead of sending them. Rejects with the system's error if
 * the port is taken or the folder cannot be read.
 */
export async function startMail({ host, port, dataDir, log }: MailOptions): Promise<LocalMail> {
  const mailbox = await openMailbox(dataDir);
  let fault: MailFault | undefined;
  function take(): MailFault {
    const met = fault ?? {};
    if (fault?.times !== undefined)
      fault = fault.times > 1 ? { ...fault, times: fault.times - 1 } : undefined;
    return met;
  }
  const smtp = await listenForMail({
    host,
    port,
    refusal() {
      if (fault?.status === undefined) return undefined;
      const { status } = take();
      log(`refused a recipient with ${status}, as told`);
      return status;
    },
    drops: () => fault?.drops === true && take().drops === true,
    async receive(received) {
      const { id, subject } = await mailbox.add(received);
      log(`${id} "${subject}"`);
    },
  });
  const app = createApp(mailbox, (next) => {
    fault = next;
  });
  return { url: `smtp://${host}:${smtp.port}`, port: smtp.port, app, mailbox, close: smtp.close };
}
