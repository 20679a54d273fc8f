import { connect, type Database } from "../../drizzle/client.ts";
import { readDeletion, recordConfirmationSent } from "../../drizzle/queries/user-deletions.ts";
import { required } from "../env.ts";
import { confirmationMail } from "./confirmation-mail.ts";
import { NotCleanError, UnknownDeletionError } from "./errors.ts";
import { externalSystems } from "./external-systems.ts";
import { type SendMail, sendMail } from "./send-mail.ts";
import { withinAttempt } from "./within-attempt.ts";

export type Confirmation = "sent" | "already-sent" | "no-address";

type Deps = { db?: Database; systems?: typeof externalSystems; send?: SendMail };

/**
 * One attempt to tell a user that everything is clean, unless that is done. If the process dies after the mail
 * server accepted the message and before the ledger knows, it is sent again, with the same Message-ID.
 * Rejects with NotCleanError before all systems are recorded as clean, UnknownDeletionError, EnvironmentError, or as
 * {@link sendMail}.
 */
export async function sendConfirmation(
  { userId, signal }: { userId: string; signal: AbortSignal },
  { db = connect(required("DATABASE_URL")), systems = externalSystems, send = sendMail }: Deps = {},
): Promise<{ userId: string; confirmation: Confirmation }> {
  const deletion = await readDeletion(db, userId);
  if (!deletion) throw new UnknownDeletionError(userId);
  const { email, requestedAt } = deletion;
  if (deletion.confirmationSentAt) return { userId, confirmation: "already-sent" };
  if (email === null) return { userId, confirmation: "no-address" };
  const dirty = systems().filter(({ name }) => !deletion.systems[name]?.done_at);
  if (dirty.length > 0)
    throw new NotCleanError(dirty.map(({ name }) => ({ system: name, error: "not recorded as clean" })));

  const mail = confirmationMail({ userId, email, requestedAt }, required("MAIL_FROM"));
  await withinAttempt((limit) => send(mail, limit), { signal });
  await recordConfirmationSent(db, userId);
  return { userId, confirmation: "sent" };
}
