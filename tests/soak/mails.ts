import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const mails = z.array(
  z.object({ id: z.string(), to: z.array(z.string()), messageId: z.string(), receivedAt: z.coerce.date() }),
);

export type Mail = z.infer<typeof mails>[number];

/** Collects the mail server's messages, of which it keeps only the last 100. */
export function collectMails(localUrl: string) {
  const all = new Map<string, Mail>();
  let isOpen = true;
  async function look(): Promise<void> {
    const response = await fetch(`${localUrl}/local/mail`);
    for (const mail of mails.parse(await response.json())) all.set(mail.id, mail);
  }
  async function watch(): Promise<void> {
    while (isOpen) {
      // The local stack may be down at the moment.
      await look().catch(() => {});
      await sleep(300);
    }
  }
  const watching = watch();
  return {
    async stop(): Promise<Mail[]> {
      isOpen = false;
      await watching;
      await look();
      return [...all.values()];
    },
  };
}

const calls = z.array(
  z.object({
    at: z.coerce.date(),
    system: z.string(),
    userId: z.string(),
    status: z.number(),
    lied: z.boolean().default(false),
  }),
);

export type Call = z.infer<typeof calls>[number];

/** What the external systems were notified of: the last 1,000 calls. */
export async function readCalls(localUrl: string): Promise<Call[]> {
  return calls.parse(await (await fetch(`${localUrl}/local/external-system/calls`)).json());
}
