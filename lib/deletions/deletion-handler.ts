import { z } from "zod";
import type { Database } from "../../drizzle/client.ts";
import { recordDeletion, recordFirstRun } from "../../drizzle/queries/user-deletions.ts";
import { beforeDeadline } from "../before-deadline.ts";
import { database } from "../database.ts";
import { InvalidMessageError, UnavailableError } from "../errors.ts";
import { inParallel } from "../in-parallel.ts";
import type { Handler } from "../ingress/receive.ts";
import { triggerRun } from "../runs/trigger-run.ts";
import type { SequinMessage } from "../sequin/message.ts";
import { primaryKey } from "../sequin/primary-key.ts";
import { externalSystems } from "./external-systems.ts";

const uuid = z.guid();

function userIdOf(message: SequinMessage): string {
  const { at, text } = primaryKey(message);
  if (!uuid.safeParse(text).success) throw new InvalidMessageError(at, "must be a uuid");
  return text.toLowerCase();
}

// A route that deletes takes no message of which the table is unknown.
function isDeletedUser({ action, metadata }: SequinMessage): boolean {
  const { table_schema = "public", table_name } = metadata;
  return action === "delete" && table_schema === "public" && table_name === "users";
}

// Null under replica identity default: then there is a deletion, but nobody to confirm it to.
function emailOf({ record }: SequinMessage): string | null {
  const { email } = record;
  return typeof email === "string" && email.trim() !== "" ? email.trim() : null;
}

async function ledger(write: () => Promise<void>, deadline: number): Promise<void> {
  try {
    await beforeDeadline(write, deadline);
  } catch (cause) {
    throw new UnavailableError("The deletion could not be recorded; deliver again", { cause });
  }
}

type DeletedUser = { userId: string; email: string | null };

/**
 * Has a run for a deleted user, after the deletion is in the ledger with the systems that have to be told. So a run
 * that is lost has lost nothing, no configuration elsewhere can leave a system out, and no personal data goes to
 * Trigger.dev.
 * Rejects with EnvironmentError when it is not said which systems there are, UnavailableError when the database or
 * Trigger.dev fails or does not answer before `deadline`, in Unix milliseconds.
 */
async function begin({ userId, email }: DeletedUser, deadline: number, db: Database): Promise<string> {
  const requiredSystems = externalSystems().map(({ name }) => name);
  await ledger(() => recordDeletion(db, { userId, email, requiredSystems }), deadline);
  const run = {
    task: "user-deletion-cleanup",
    payload: { userId },
    tags: [`user:${userId}`],
    // A user is deleted once, whatever the change's own key: a delivery years later starts nothing new.
    idempotencyKey: `user-deletion:${userId}`,
    idempotencyKeyTTL: "3650d",
  };
  const runId = await triggerRun(run, deadline);
  await ledger(() => recordFirstRun(db, userId, runId), deadline);
  return runId;
}

/** How a route works on the messages of the users sink: each deleted user has a run. */
export const deletionHandler = ({ db }: { db?: Database } = {}): Handler<DeletedUser> => ({
  ask: (message) =>
    isDeletedUser(message) ? { userId: userIdOf(message), email: emailOf(message) } : undefined,
  accept: (asked, deadline) =>
    inParallel(asked, (user) =>
      begin(user, deadline, db ?? database()).catch((error: unknown) => {
        if (error instanceof UnavailableError) return error;
        throw error;
      }),
    ),
});
