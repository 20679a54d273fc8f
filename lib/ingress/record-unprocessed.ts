import { addUnprocessed, type Unprocessed } from "../../drizzle/queries/unprocessed-messages.ts";
import { beforeDeadline } from "../before-deadline.ts";
import { database } from "../database.ts";
import { rootMessageOf, UnavailableError } from "../errors.ts";
import { log } from "../log.ts";
import type { Outcome } from "./outcome.ts";

// Nobody waits longer for a count.
const LIMIT_MS = 1_000;

/** The messages that led to no run, those of one reason together. */
function unprocessed(outcomes: readonly Outcome<unknown>[]): Unprocessed[] {
  const groups = new Map<string, Unprocessed>();
  for (const outcome of outcomes) {
    if (outcome.kind !== "ignored" && outcome.kind !== "rejected") continue;
    const { kind, reason, at } = outcome;
    const key = `${kind} ${reason}`;
    const group = groups.get(key) ?? { outcome: kind, reason, messages: 0, example: at || "the message" };
    groups.set(key, { ...group, messages: group.messages + 1 });
  }
  return [...groups.values()];
}

/**
 * Records what a delivery that is about to be acknowledged held besides work: Sequin will not send it again. Counts of
 * what is only ignored are given up after 1 s, with a line in the log.
 * Rejects with UnavailableError when rejected messages could not be recorded before `deadline`, in Unix milliseconds.
 */
export async function recordUnprocessed(
  route: string,
  outcomes: readonly Outcome<unknown>[],
  deadline: number,
): Promise<void> {
  const given = unprocessed(outcomes);
  if (given.length === 0) return;
  for (const { outcome, reason, messages } of given)
    if (outcome === "ignored") log("info", "messages.ignored", { route, reason, messages });
  const losesSome = given.some(({ outcome }) => outcome === "rejected");
  const record = async () => addUnprocessed(database(), route, given);
  try {
    await beforeDeadline(record, losesSome ? deadline : Math.min(deadline, Date.now() + LIMIT_MS));
  } catch (cause) {
    if (losesSome)
      throw new UnavailableError("Rejected messages could not be recorded; deliver again", { cause });
    log("warn", "messages.ignored_not_counted", { route, error: rootMessageOf(cause) });
  }
}
