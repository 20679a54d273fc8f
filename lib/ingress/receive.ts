import type { AnyTask } from "@trigger.dev/sdk";
import { z } from "zod";
import { EnvironmentError } from "../env.ts";
import {
  InvalidMessageError,
  messageOf,
  RefusedRequestError,
  rootMessageOf,
  UnavailableError,
} from "../errors.ts";
import { inParallel } from "../in-parallel.ts";
import { log } from "../log.ts";
import { type SequinMessage, sequinMessageSchema } from "../sequin/message.ts";
import { type Located, messagesOf } from "../sequin/messages-of.ts";
import { authenticate } from "./authenticate.ts";
import { readJson } from "./read-json.ts";
import { type TaskRun, triggerRun } from "./trigger-run.ts";

// Sequin calls again after 30 s without an answer, while this call would still be under way.
const DEADLINE_MS = 20_000;

/** Says what a message asks for: the run to trigger, or undefined when the message is not for this route. */
export type Plan<T extends AnyTask> = (
  message: SequinMessage,
  /** When this delivery has to be answered, in Unix milliseconds. */
  deadline: number,
) => TaskRun<T> | undefined | Promise<TaskRun<T> | undefined>;

type Outcome =
  | { kind: "triggered"; id: string }
  | { kind: "ignored" }
  | { kind: "invalid"; at: string; error: string }
  | { kind: "unavailable"; error: string };

function parse(value: unknown): SequinMessage {
  const parsed = sequinMessageSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InvalidMessageError(
    z.core.toDotPath(issue?.path ?? []),
    issue?.message ?? "is not a Sequin message",
  );
}

function failed(error: unknown, at: string): Outcome {
  if (error instanceof UnavailableError) {
    log("error", "message.unavailable", { error: error.message, cause: rootMessageOf(error) });
    return { kind: "unavailable", error: error.message };
  }
  if (!(error instanceof InvalidMessageError)) throw error;
  const placed = error.within(at);
  log("warn", "message.invalid", { at: placed.at, problem: placed.problem });
  return { kind: "invalid", at: placed.at, error: placed.message };
}

async function accept<T extends AnyTask>(
  { at, value }: Located,
  plan: Plan<T>,
  deadline: number,
): Promise<Outcome> {
  try {
    const run = await plan(parse(value), deadline);
    if (!run) return { kind: "ignored" };
    const id = await triggerRun(run, deadline);
    await run.accepted?.(id);
    return { kind: "triggered", id };
  } catch (error) {
    return failed(error, at);
  }
}

function answer(batch: boolean, outcomes: Outcome[]): Response {
  const unavailable = outcomes.find((outcome) => outcome.kind === "unavailable");
  const invalid = outcomes.filter((outcome) => outcome.kind === "invalid");
  const runs = outcomes.flatMap((outcome) => (outcome.kind === "triggered" ? [outcome.id] : []));
  const [run] = runs;
  if (!batch && run) return Response.json({ id: run });
  const counts = {
    triggered: runs.length,
    ignored: outcomes.filter((outcome) => outcome.kind === "ignored").length,
    runs,
  };
  if (unavailable) return Response.json({ error: unavailable.error, ...counts }, { status: 503 });
  if (invalid.length > 0) {
    const errors = invalid.map(({ error, at }) => ({ error, at }));
    return Response.json({ error: errors[0]?.error, errors, ...counts }, { status: 422 });
  }
  return Response.json(counts);
}

function refuse(error: unknown): Response {
  if (error instanceof RefusedRequestError) {
    const headers = error.status === 401 ? { "www-authenticate": "Bearer" } : undefined;
    return Response.json({ error: error.message }, { status: error.status, headers });
  }
  log("error", "ingress.failed", { error: messageOf(error) });
  const told =
    error instanceof EnvironmentError ? "The server is not configured; see its log" : "Internal error";
  return Response.json({ error: told }, { status: 500 });
}

/**
 * Receives one delivery of a Sequin webhook sink and triggers a run for each message that asks for one.
 * 200 acknowledges: every message was triggered or ignored. 401 wrong secret, 400 and 413 unreadable body,
 * 422 a message that cannot be worked on (the others were), 503 Trigger.dev or the database did not accept one, 500 not
 * configured.
 * On anything but 200 Sequin delivers the whole request again; idempotency keys make that harmless.
 */
export async function receive<T extends AnyTask>(request: Request, plan: Plan<T>): Promise<Response> {
  try {
    authenticate(request);
    const deadline = Date.now() + DEADLINE_MS;
    const { batch, messages } = messagesOf(await readJson(request));
    const outcomes = await inParallel(messages, (message) => accept(message, plan, deadline));
    return answer(batch, outcomes);
  } catch (error) {
    return refuse(error);
  }
}
