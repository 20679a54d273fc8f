import { setTimeout } from "node:timers/promises";
import type { Database } from "../../drizzle/client.ts";
import {
  claimConfirmation,
  readClaimEnd,
  recordConfirmationSent,
  releaseConfirmation,
} from "../../drizzle/queries/deletion-confirmations.ts";
import { database } from "../database.ts";
import { EnvironmentError, required } from "../env.ts";
import { confirmationMail, type Mail } from "./confirmation-mail.ts";
import { deletionOf } from "./deletion-of.ts";
import { AddressRefusedError, ConfirmationClaimedError, MailNotSentError, NotCleanError } from "./errors.ts";
import type { DeletionRun } from "./hold-deletion.ts";
import { type SendMail, sendMail } from "./send-mail.ts";
import { withinAttempt } from "./within-attempt.ts";

export type Confirmation = "sent" | "already-sent" | "no-address";

type Request = DeletionRun & { signal: AbortSignal };
type Deps = { db?: Database; send?: SendMail; patienceMs?: number };

const isSurelyNotSent = (error: unknown) =>
  error instanceof MailNotSentError || error instanceof EnvironmentError;

/** Sends while no other run does. The claim stays when nobody knows whether the mail server accepted the message. */
async function sendClaimed(
  { userId, runId, signal, mail }: Request & { mail: Mail },
  { db, send }: { db: Database; send: SendMail },
): Promise<void> {
  if (!(await claimConfirmation(db, userId, runId)))
    throw new ConfirmationClaimedError(await readClaimEnd(db, userId));
  try {
    await withinAttempt((limit) => send(mail, limit), { signal });
  } catch (error) {
    const refused = error instanceof AddressRefusedError;
    if (isSurelyNotSent(error)) await releaseConfirmation(db, userId, { runId, refused });
    throw error;
  }
}

// The mail server has it: a ledger that fails for a moment must not bring about a second copy.
async function recordSent(db: Database, userId: string, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await recordConfirmationSent(db, userId);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await setTimeout(500);
    }
  }
}

/**
 * One attempt to tell a user that everything is clean, unless that is done. A second copy, with the same Message-ID, is
 * possible only where nobody can know whether the mail server accepted the first.
 * Rejects with NotCleanError before all systems are recorded as clean, ConfirmationClaimedError, EnvironmentError, or
 * as {@link deletionOf} and {@link sendMail}.
 */
export async function sendConfirmation(
  request: Request,
  { db = database(), send = sendMail, patienceMs = 30_000 }: Deps = {},
): Promise<{ userId: string; confirmation: Confirmation }> {
  const { userId } = request;
  const deletion = await deletionOf(db, request);
  const { email, requestedAt, requiredSystems, systems } = deletion;
  if (deletion.confirmationSentAt) return { userId, confirmation: "already-sent" };
  if (email === null) return { userId, confirmation: "no-address" };
  const dirty = requiredSystems?.filter((name) => !systems[name]?.done_at) ?? ["every system"];
  if (dirty.length > 0)
    throw new NotCleanError(dirty.map((system) => ({ system, error: "not recorded as clean" })));

  const mail = confirmationMail({ userId, email, requestedAt }, required("MAIL_FROM"));
  await sendClaimed({ ...request, mail }, { db, send });
  await recordSent(db, userId, patienceMs);
  return { userId, confirmation: "sent" };
}
