import { setTimeout } from "node:timers/promises";
import type { Database } from "../db/client.ts";
import { EnvironmentError, required } from "../env/env.ts";
import {
  claimConfirmation,
  readClaimEnd,
  recordConfirmationSent,
  releaseConfirmation,
} from "./confirmation-claims.ts";
import { confirmationMail, type Mail } from "./confirmation-mail.ts";
import { MailError, StepError } from "./errors.ts";
import { keyOf } from "./ledger.ts";
import { endReplay, readReplay } from "./replays.ts";
import { type Obstacle, obstacleTo } from "./row-is-back.ts";
import type { SendMail } from "./send-mail.ts";
import { type StepContext, type StepRequest, stepOf } from "./step.ts";
import { withinAttempt } from "./within-attempt.ts";

export type Confirmation = "sent" | "already-sent" | "no-address";

type Request = StepRequest & { runId: string };
type Context = StepContext & { send: SendMail };

const RECORD_MS = 30_000;

/** Sends while no other run does. Keeps the claim if it is unknown whether the mail server accepted the message. */
async function sendClaimed(
  { deletionId, runId, signal }: Request,
  mail: Mail,
  { db, send }: Context,
): Promise<void> {
  if (!(await claimConfirmation(db, deletionId, runId))) {
    const retryAt = await readClaimEnd(db, deletionId);
    throw new StepError("Another run is sending the confirmation", { retryAt });
  }
  try {
    await withinAttempt((limit) => send(mail, limit), { signal });
  } catch (error) {
    const bounced = error instanceof MailError && error.bounced;
    const isNotSent = error instanceof EnvironmentError || (error instanceof MailError && error.notSent);
    if (isNotSent) await releaseConfirmation(db, deletionId, { runId, bounced });
    throw error;
  }
}

// The mail server has the message: a brief failure of the ledger must not cause a second copy.
async function recordSent(db: Database, deletionId: string): Promise<void> {
  const deadline = Date.now() + RECORD_MS;
  for (;;) {
    try {
      return await recordConfirmationSent(db, deletionId);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await setTimeout(500);
    }
  }
}

/**
 * One attempt to send the confirmation, unless it was sent, or something prevents it now. A second copy, with the same
 * Message-ID, is possible only if it is unknown whether the mail server accepted the first. Rejects with StepError
 * until all systems are recorded as clean and while another run is sending, with EnvironmentError and MailError, or
 * like {@link stepOf} and {@link obstacleTo}.
 */
export async function sendConfirmation(
  request: Request,
  context: Context,
): Promise<{ deletionId: string; confirmation: Confirmation | Obstacle }> {
  const { deletionId } = request;
  const { deletion, declaration } = await stepOf(request, context);
  const { email, rowId, requestedAt, requiredSystems, systems } = deletion;
  if (deletion.confirmationSentAt) return { deletionId, confirmation: "already-sent" };
  if (deletion.outcome === "row_is_back") return { deletionId, confirmation: "row-is-back" };
  if (email === null) return { deletionId, confirmation: "no-address" };
  const dirty = requiredSystems.filter((name) => !systems[name]?.done_at);
  if (dirty.length > 0)
    throw new StepError(`Not clean: ${dirty.map((name) => `${name} (not recorded as clean)`).join(", ")}`, {
      retryable: false,
    });
  const obstacle = await obstacleTo(context.db, declaration, deletion);
  if (obstacle) return { deletionId, confirmation: obstacle };

  const before = await readReplay(context.db, deletion);
  if (before) {
    await recordConfirmationSent(context.db, deletionId, before);
    await endReplay(context.db, deletion);
    return { deletionId, confirmation: "already-sent" };
  }
  const about = { key: keyOf(deletion), rowId, email, requestedAt };
  await sendClaimed(request, confirmationMail(about, required("MAIL_FROM")), context);
  await recordSent(context.db, deletionId);
  return { deletionId, confirmation: "sent" };
}
