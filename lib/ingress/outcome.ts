import type { AnyTask } from "@trigger.dev/sdk";
import { z } from "zod";
import { InvalidMessageError, rootMessageOf, UnavailableError } from "../errors.ts";
import { log } from "../log.ts";
import { type SequinMessage, sequinMessageSchema } from "../sequin/message.ts";
import type { Located } from "../sequin/messages-of.ts";
import { type TaskRun, triggerRun } from "./trigger-run.ts";

/** Says what a message asks for: the run to trigger, or undefined when the message is not for this route. */
export type Plan<T extends AnyTask> = (
  message: SequinMessage,
  /** When this delivery has to be answered, in Unix milliseconds. */
  deadline: number,
) => TaskRun<T> | undefined | Promise<TaskRun<T> | undefined>;

/** What became of one message. A reason is fit to be kept: names of tables, actions and places, no values. */
export type Outcome =
  | { kind: "triggered"; id: string }
  | { kind: "ignored"; at: string; reason: string }
  | { kind: "rejected"; at: string; reason: string; error: string }
  | { kind: "unavailable"; error: string };

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

function ignored({ action, metadata }: SequinMessage, at: string): Outcome {
  const reason = `${nameOf(metadata.table_schema)}.${nameOf(metadata.table_name)} ${action ?? "row"}`;
  return { kind: "ignored", at, reason };
}

function failed(error: unknown, at: string): Outcome {
  if (error instanceof UnavailableError) {
    log("error", "message.unavailable", { error: error.message, cause: rootMessageOf(error) });
    return { kind: "unavailable", error: error.message };
  }
  if (!(error instanceof InvalidMessageError)) throw error;
  const placed = error.within(at);
  log("warn", "message.invalid", { at: placed.at, problem: placed.problem });
  return { kind: "rejected", at: placed.at, reason: error.message, error: placed.message };
}

/** Triggers the run that a message asks for, if any. Rejects only with what is no fault of the message. */
export async function accept<T extends AnyTask>(
  { at, value }: Located,
  plan: Plan<T>,
  deadline: number,
): Promise<Outcome> {
  try {
    const message = parse(value);
    const run = await plan(message, deadline);
    if (!run) return ignored(message, at);
    const id = await triggerRun(run, deadline);
    await run.accepted?.(id);
    return { kind: "triggered", id };
  } catch (error) {
    return failed(error, at);
  }
}
