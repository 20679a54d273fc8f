import type { RowChange, Unread } from "../changes/row-change.ts";
import type { Database } from "../db/client.ts";
import type { Declaration } from "../declare/declaration.ts";
import { InvalidMessageError } from "../errors.ts";
import { log } from "../log.ts";
import type { KeyType } from "../source.ts";

/** An accepted change: with the run that processes it, or waiting for one. */
export type Accepted = { runId: string } | "pending";

/** How the changes of a declared table are handled. */
export type Handler<A> = {
  declaration: Declaration;
  /**
   * What a change asks for; "nothing" if it changes nothing of interest, undefined if it is not of this declaration.
   * @throws {InvalidMessageError} for a change that can never be processed
   */
  parse(change: RowChange, keyType: KeyType): A | "nothing" | undefined;
  /**
   * Stores what a delivery asks for and triggers the runs. Resolves with the result for each, in order. `deadline` is
   * in Unix milliseconds. Rejects with UnavailableError if the database did not store it, and with TriggerRefusedError.
   */
  enqueue(db: Database, asked: readonly A[], deadline: number): Promise<Accepted[]>;
};

/** The result for a message. A reason is safe to log: names of tables, actions and places, no values. */
export type Outcome<A> =
  | { kind: "asked"; asked: A }
  | { kind: "nothing" }
  | { kind: "ignored"; reason: string }
  | { kind: "rejected"; at: string; reason: string; error: string };

const MAX_NAME_CHARS = 63;

// A message may contain anything, but Postgres' names have at most 63 bytes, and its texts no NUL and no half of a
// surrogate pair.
const nameOf = (name = "?") => name.slice(0, MAX_NAME_CHARS).replaceAll(/[^\p{L}\p{N}_$ -]/gu, "?");

const reasonOf = ({ action, table }: RowChange) =>
  `${nameOf(table?.schema)}.${nameOf(table?.name)} ${action}`;

/** The result for one message of a delivery. Throws only errors that are not the message's fault. */
export function outcomeOf<A>(
  { at, read }: Unread,
  parse: (change: RowChange) => A | "nothing" | undefined,
): Outcome<A> {
  try {
    const change = read();
    if (!change) return { kind: "ignored", reason: "no row" };
    const asked = parse(change);
    if (asked === undefined) return { kind: "ignored", reason: reasonOf(change) };
    return asked === "nothing" ? { kind: "nothing" } : { kind: "asked", asked };
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    const placed = error.within(at);
    return { kind: "rejected", at: placed.at, reason: error.message, error: placed.message };
  }
}

/** Logs the messages of a delivery that lead to no work, one line per reason. */
export function logUnworked(route: string, outcomes: readonly Outcome<unknown>[]): void {
  const groups = new Map<string, Extract<Outcome<unknown>, { reason: string }>[]>();
  for (const outcome of outcomes) {
    if (!("reason" in outcome)) continue;
    const same = groups.get(outcome.reason);
    if (same) same.push(outcome);
    else groups.set(outcome.reason, [outcome]);
  }
  for (const [reason, same] of groups) {
    const [first] = same;
    const fields = { route, reason, messages: same.length };
    if (first?.kind === "rejected") log("warn", "message.invalid", { ...fields, at: first.at });
    else log("info", "messages.ignored", fields);
  }
}
