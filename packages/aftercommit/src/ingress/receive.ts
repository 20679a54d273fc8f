import { logUnauthorized } from "../access/log-unauthorized.ts";
import { database } from "../db/database.ts";
import { routeOf } from "../declare/names.ts";
import { EnvironmentError } from "../env/env.ts";
import { messageOf, RefusedRequestError, rootMessageOf, UnavailableError } from "../errors.ts";
import { log } from "../log.ts";
import { countDelivery } from "../metrics/count.ts";
import { FORMS } from "./forms.ts";
import type { Accepted, Handler, Outcome } from "./outcome.ts";
import { parseJson } from "./parse-json.ts";
import { readText } from "./read-text.ts";
import { work } from "./work.ts";

// Sequin tries again after 30 s without a response, while this request would still be running.
const DEADLINE_MS = 20_000;

const unavailable = (error: UnavailableError) => {
  log("error", "delivery.unavailable", { error: error.message, cause: rootMessageOf(error) });
  return Response.json({ error: error.message }, { status: 503 });
};

function refuse(route: string, error: unknown): Response {
  if (error instanceof RefusedRequestError) {
    if (error.status === 401) logUnauthorized(route);
    const headers = error.status === 401 ? { "www-authenticate": "Bearer" } : undefined;
    return Response.json({ error: error.message }, { status: error.status, headers });
  }
  if (error instanceof UnavailableError) return unavailable(error);
  log("error", "ingress.failed", { error: messageOf(error) });
  const told =
    error instanceof EnvironmentError ? "The server is not configured; see its log" : "Internal error";
  return Response.json({ error: told }, { status: 500 });
}

function answer<A>(
  { batch, refusable }: { batch: boolean; refusable: boolean },
  outcomes: readonly Outcome<A>[],
  accepted: readonly Accepted[],
): Response {
  const ids = accepted.flatMap((result) => (result === "pending" ? [] : [result.runId]));
  const pending = accepted.length - ids.length;
  const errors = outcomes.flatMap((outcome) =>
    outcome.kind === "rejected" ? [{ at: outcome.at, error: outcome.error }] : [],
  );
  const ignored = outcomes.filter(({ kind }) => kind === "ignored" || kind === "nothing").length;
  const counts = { triggered: ids.length, pending, ignored, runs: [...new Set(ids)] };
  if (refusable && errors.length > 0 && errors.length === outcomes.length)
    return Response.json({ error: errors[0]?.error, errors, ...counts }, { status: 422 });
  if (!batch && accepted[0] !== undefined)
    return Response.json(accepted[0] === "pending" ? { pending: 1 } : { id: accepted[0].runId });
  return Response.json(errors.length > 0 ? { ...counts, rejected: errors.length, errors } : counts);
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new RefusedRequestError(400, `The body is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

async function handle<A>(request: Request, handler: Handler<A>): Promise<Response> {
  const { from, row } = handler.declaration;
  if (from === "capture") throw new RefusedRequestError(404, `No route takes changes of ${row}`);
  const form = FORMS[from];
  form.authenticate(request);
  const deadline = Date.now() + DEADLINE_MS;
  const text = await readText(request, { deadline, shortened: form.shortened });
  form.verify?.(request, text);
  const { batch, delivery } = form.readBody(jsonOf(text), request.headers);
  const { outcomes, accepted } = await work(database(), handler, delivery, deadline);
  return answer({ batch, refusable: form.refusable }, outcomes, accepted);
}

/**
 * Receives one delivery of a source: stores what its messages ask for, and triggers the runs.
 *
 * 200 acknowledges: every message was stored, skipped or, among valid ones, found invalid and logged. 401: wrong
 * secret. 400, 408, 413: unreadable body. 422: only invalid messages. 503: the database did not store them. 500: not
 * configured, not migrated, or Trigger.dev rejects our key. After anything but 200, Sequin and Debezium deliver the
 * whole request again, which changes nothing.
 */
export async function receive<A>(request: Request, handler: Handler<A>): Promise<Response> {
  // Not the requested path, which can be spelled in many ways.
  const route = routeOf(handler.declaration);
  const response = await handle(request, handler).catch((error: unknown) => refuse(route, error));
  countDelivery(route, response.status);
  return response;
}
