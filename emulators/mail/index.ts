import type { RunningPart } from "@aftercommit/local-shared/part.ts";
import { mailPages } from "./console/pages.tsx";
import { type MailOptions, startMail } from "./start.ts";

export { absentMailPages as absent } from "./console/pages.tsx";

/** Starts the mail server emulator, with pages that show what it received. */
export async function start(options: MailOptions): Promise<RunningPart> {
  const { app, mailbox, close } = await startMail(options);
  return { app, close, pages: mailPages(mailbox) };
}
