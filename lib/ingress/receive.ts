import { noteFailure } from "../access/note-failure.ts";
import { EnvironmentError } from "../env.ts";
import { messageOf, RefusedRequestError, rootMessageOf, UnavailableError } from "../errors.ts";
import { log } from "../log.ts";
import { countDelivery, countMessages } from "../metrics/count.ts";
import { messagesOf } from "../sequin/messages-of.ts";
import { authenticate } from "./authenticate.ts";
import { type Ask, type Outcome, outcomeOf } from "./outcome.ts";
import { readJson } from "./read-json.ts";
import { recordUnprocessed } from "./record-unprocessed.ts";

// Sequin calls again after 30 s without an answer, while this call would still be under way.
const DEADLINE_MS = 20_000;

/** What a route does with the messages of a sink. */
export type Handler<A> = {
  /** @throws {InvalidMessageError} for a message that cannot be worked on, ever */
  ask: Ask<A>;
  /**
   * Triggers the runs for all that a delivery asks for. Resolves with the run's id for each, or with an
   * UnavailableError where the same message may be delivered again. `deadline` is in Unix milliseconds.
   */
  accept(asked: readonly A[], deadline: number): Promise<(string | UnavailableError)[]>;
};

async function refuse(route: string, request: Request, error: unknown): Promise<Response> {
  if (error instanceof RefusedRequestError) {
    if (error.status === 401) await noteFailure(request, { route, reason: "missing or wrong secret" });
    const headers = error.status === 401 ? { "www-authenticate": "Bearer" } : undefined;
    return Response.json({ error: error.message }, { status: error.status, headers });
  }
  log("error", "ingress.failed", { error: messageOf(error) });
  const told =
    error instanceof EnvironmentError ? "The server is not configured; see its log" : "Internal error";
  return Response.json({ error: told }, { status: 500 });
}

function logUnavailable(event: string, error: UnavailableError): void {
  log("error", event, { error: error.message, cause: rootMessageOf(error) });
}

async function problemOfRecord(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    logUnavailable("delivery.unavailable", error);
    return error.message;
  }
}

type Delivery = { route: string; batch: boolean; deadline: number };

async function answer<A>(
  { route, batch, deadline }: Delivery,
  outcomes: Outcome<A>[],
  accepted: (string | UnavailableError)[],
): Promise<Response> {
  const ids = accepted.filter((result) => typeof result === "string");
  const ignored = outcomes.filter(({ kind }) => kind === "ignored" || kind === "nothing").length;
  const counts = { triggered: ids.length, ignored, runs: [...new Set(ids)] };
  const unavailable = (error: string) => Response.json({ error, ...counts }, { status: 503 });

  const notTaken = accepted.filter((result) => result instanceof UnavailableError);
  const errors = outcomes.flatMap((outcome) =>
    outcome.kind === "rejected" ? [{ at: outcome.at, error: outcome.error }] : [],
  );
  countMessages(route, {
    triggered: ids.length,
    ignored,
    rejected: errors.length,
    unavailable: notTaken.length,
  });
  for (const error of new Set(notTaken)) logUnavailable("message.unavailable", error);
  if (notTaken[0]) return unavailable(notTaken[0].message);
  if (errors.length > 0 && errors.length === outcomes.length)
    return Response.json({ error: errors[0]?.error, errors, ...counts }, { status: 422 });
  const problem = await problemOfRecord(recordUnprocessed(route, outcomes, deadline));
  if (problem) return unavailable(problem);
  const [id] = ids;
  if (!batch && id !== undefined) return Response.json({ id });
  return Response.json(errors.length > 0 ? { ...counts, rejected: errors.length, errors } : counts);
}

async function work<A>(route: string, request: Request, { ask, accept }: Handler<A>): Promise<Response> {
  authenticate(request);
  const deadline = Date.now() + DEADLINE_MS;
  const { batch, messages } = messagesOf(await readJson(request, deadline));
  const outcomes = messages.map((message) => outcomeOf(message, ask));
  const asked = outcomes.flatMap((outcome) => (outcome.kind === "asked" ? [outcome.asked] : []));
  const accepted = await accept(asked, deadline);
  return answer({ route, batch, deadline }, outcomes, accepted);
}

/**
 * Receives one delivery of a Sequin webhook sink and triggers the runs that its messages ask for.
 * 200 acknowledges: every message was triggered, ignored or, beside good ones, rejected and recorded. 401 wrong secret,
 * 400, 408 and 413 unreadable body, 422 nothing but messages that cannot be worked on, 503 Trigger.dev or the database
 * did not accept one, 500 not configured.
 * On anything but 200 Sequin delivers the whole request again; idempotency keys make that harmless.
 */
export async function receive<A>(request: Request, handler: Handler<A>): Promise<Response> {
  const route = new URL(request.url).pathname;
  const response = await work(route, request, handler).catch((error: unknown) =>
    refuse(route, request, error),
  );
  countDelivery(route, response.status);
  return response;
}
