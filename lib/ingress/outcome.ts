import { z } from "zod";
import { InvalidMessageError } from "../errors.ts";
import { log } from "../log.ts";
import { type SequinMessage, sequinMessageSchema } from "../sequin/message.ts";
import type { Located } from "../sequin/messages-of.ts";

/** Says what a message asks for, "nothing", or undefined when the message is not for this route. */
export type Ask<A> = (message: SequinMessage) => A | "nothing" | undefined;

/** What a message comes to. A reason is fit to be kept: names of tables, actions and places, no values. */
export type Outcome<A> =
  | { kind: "asked"; asked: A }
  | { kind: "nothing" }
  | { kind: "ignored"; at: string; reason: string }
  | { kind: "rejected"; at: string; reason: string; error: string };

const MAX_NAME_CHARS = 63;

function parse(value: unknown): SequinMessage {
  const parsed = sequinMessageSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InvalidMessageError(
    z.core.toDotPath(issue?.path ?? []),
    issue?.message ?? "is not a Sequin message",
  );
}

// A message may say anything; Postgres' names have 63 bytes, and its texts no NUL and no half of a pair.
const nameOf = (name = "?") => name.slice(0, MAX_NAME_CHARS).replaceAll(/[^\p{L}\p{N}_$ -]/gu, "?");

const reasonOf = ({ action, metadata }: SequinMessage) =>
  `${nameOf(metadata.table_schema)}.${nameOf(metadata.table_name)} ${action ?? "row"}`;

/** What one message of a delivery comes to. Throws only what is no fault of the message. */
export function outcomeOf<A>({ at, value }: Located, ask: Ask<A>): Outcome<A> {
  try {
    const message = parse(value);
    const asked = ask(message);
    if (asked === undefined) return { kind: "ignored", at, reason: reasonOf(message) };
    return asked === "nothing" ? { kind: "nothing" } : { kind: "asked", asked };
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    const placed = error.within(at);
    log("warn", "message.invalid", { at: placed.at, problem: placed.problem });
    return { kind: "rejected", at: placed.at, reason: error.message, error: placed.message };
  }
}
