import { z } from "zod";
import { EnvironmentError } from "../env.ts";
import {
  InvalidMessageError,
  messageOf,
  RefusedRequestError,
  rootMessageOf,
  UnavailableError,
} from "../errors.ts";
import { log } from "../log.ts";
import { type SequinMessage, sequinMessageSchema } from "../sequin/message.ts";
import { type Located, messagesOf } from "../sequin/messages-of.ts";
import { authenticate } from "./authenticate.ts";
import { readJson } from "./read-json.ts";

// Sequin calls again after 30 s without an answer, while this call would still be under way.
const DEADLINE_MS = 20_000;

/** What a route does with the messages of a sink. */
export type Handler<A> = {
  /**
   * What a message asks for, or "nothing", or undefined when the message is not for this route.
   * @throws {InvalidMessageError} when it cannot be worked on, ever
   */
  ask(message: SequinMessage): A | "nothing" | undefined;
  /**
   * Triggers the runs for all that a delivery asks for. Resolves with the run's id for each, or with an
   * UnavailableError where the same message may be delivered again. `deadline` is in Unix milliseconds.
   */
  accept(asked: readonly A[], deadline: number): Promise<(string | UnavailableError)[]>;
};

type Outcome<A> =
  | { kind: "asked"; asked: A }
  | { kind: "ignored" }
  | { kind: "invalid"; at: string; error: string };

function parse(value: unknown): SequinMessage {
  const parsed = sequinMessageSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InvalidMessageError(
    z.core.toDotPath(issue?.path ?? []),
    issue?.message ?? "is not a Sequin message",
  );
}

function outcomeOf<A>({ at, value }: Located, handler: Handler<A>): Outcome<A> {
  try {
    const asked = handler.ask(parse(value));
    return asked === undefined || asked === "nothing" ? { kind: "ignored" } : { kind: "asked", asked };
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    const placed = error.within(at);
    log("warn", "message.invalid", { at: placed.at, problem: placed.problem });
    return { kind: "invalid", at: placed.at, error: placed.message };
  }
}

type Accepted = (string | UnavailableError)[];

function answer<A>(batch: boolean, outcomes: Outcome<A>[], accepted: Accepted): Response {
  const ids = accepted.filter((result) => typeof result === "string");
  const unavailable = accepted.find((result) => result instanceof UnavailableError);
  const invalid = outcomes.filter((outcome) => outcome.kind === "invalid");
  const [id] = ids;
  if (!batch && id !== undefined) return Response.json({ id });
  const counts = {
    triggered: ids.length,
    ignored: outcomes.filter(({ kind }) => kind === "ignored").length,
    runs: [...new Set(ids)],
  };
  if (unavailable) return Response.json({ error: unavailable.message, ...counts }, { status: 503 });
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
 * Receives one delivery of a Sequin webhook sink and triggers the runs that its messages ask for.
 * 200 acknowledges: every message was triggered or ignored. 401 wrong secret, 400 and 413 unreadable body,
 * 422 a message that cannot be worked on (the others were), 503 Trigger.dev or the database did not accept one, 500 not
 * configured.
 * On anything but 200 Sequin delivers the whole request again; idempotency keys make that harmless.
 */
export async function receive<A>(request: Request, handler: Handler<A>): Promise<Response> {
  try {
    authenticate(request);
    const deadline = Date.now() + DEADLINE_MS;
    const { batch, messages } = messagesOf(await readJson(request));
    const outcomes = messages.map((message) => outcomeOf(message, handler));
    const asked = outcomes.flatMap((outcome) => (outcome.kind === "asked" ? [outcome.asked] : []));
    const accepted = await handler.accept(asked, deadline);
    for (const result of accepted)
      if (result instanceof UnavailableError)
        log("error", "message.unavailable", { error: result.message, cause: rootMessageOf(result) });
    return answer(batch, outcomes, accepted);
  } catch (error) {
    return refuse(error);
  }
}
