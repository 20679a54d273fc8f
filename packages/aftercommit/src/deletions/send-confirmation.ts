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
import { type Obstacle, obstacleTo } from "./obstacle.ts";
import { endReplay, readReplay } from "./replays.ts";
import type { SendMail } from "./send-mail.ts";
import { type StepContext, type StepRequest, stepOf } from "./step.ts";
import { withinAttempt } from "./within-attempt.ts";

export type Confirmation = "sent" | "already-sent" | "no-address";

type Request = StepRequest & { runId: string };
type Context = StepContext & { send: SendMail };

const RECORD_MS = 30_000;

const isSurelyNotSent = (error: unknown) =>
  error instanceof EnvironmentError || (error instanceof MailError && error.notSent);

/** Sends while no other run does. The claim stays when nobody knows whether the mail server accepted the message. */
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
    if (isSurelyNotSent(error)) await releaseConfirmation(db, deletionId, { runId, bounced });
    throw error;
  }
}

// The mail server has it: a ledger that fails for a moment must not bring about a second copy.
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
 * One attempt to tell whoever was deleted that everything is clean, unless that is done, or something keeps it from being done now. A second
 * copy, with the same Message-ID, is possible only where nobody can know whether the mail server accepted the first.
 * Rejects with StepError before all systems are recorded as clean and while another run is sending, EnvironmentError,
 * MailError, or as {@link stepOf} and {@link obstacleTo}.
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
