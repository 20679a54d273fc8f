import type { AnyTask } from "@trigger.dev/sdk";
import { EnvironmentError } from "../env.ts";
import { messageOf, RefusedRequestError, rootMessageOf, UnavailableError } from "../errors.ts";
import { inParallel } from "../in-parallel.ts";
import { log } from "../log.ts";
import { messagesOf } from "../sequin/messages-of.ts";
import { authenticate } from "./authenticate.ts";
import { accept, type Outcome, type Plan } from "./outcome.ts";
import { readJson } from "./read-json.ts";
import { recordUnprocessed } from "./record-unprocessed.ts";

// Sequin calls again after 30 s without an answer, while this call would still be under way.
const DEADLINE_MS = 20_000;

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

async function problemOfRecord(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    log("error", "delivery.unavailable", { error: error.message, cause: rootMessageOf(error) });
    return error.message;
  }
}

type Delivery = { route: string; batch: boolean; deadline: number };

async function answer({ route, batch, deadline }: Delivery, outcomes: Outcome[]): Promise<Response> {
  const runs = outcomes.flatMap((outcome) => (outcome.kind === "triggered" ? [outcome.id] : []));
  const ignored = outcomes.filter(({ kind }) => kind === "ignored").length;
  const counts = { triggered: runs.length, ignored, runs };
  const unavailable = (error: string) => Response.json({ error, ...counts }, { status: 503 });

  const notTaken = outcomes.find((outcome) => outcome.kind === "unavailable");
  if (notTaken) return unavailable(notTaken.error);
  const errors = outcomes.flatMap((outcome) =>
    outcome.kind === "rejected" ? [{ at: outcome.at, error: outcome.error }] : [],
  );
  if (errors.length > 0 && errors.length === outcomes.length)
    return Response.json({ error: errors[0]?.error, errors, ...counts }, { status: 422 });
  const problem = await problemOfRecord(recordUnprocessed(route, outcomes, deadline));
  if (problem) return unavailable(problem);
  const [run] = runs;
  if (!batch && run) return Response.json({ id: run });
  return Response.json(errors.length > 0 ? { ...counts, rejected: errors.length, errors } : counts);
}

/**
 * Receives one delivery of a Sequin webhook sink and triggers a run for each message that asks for one.
 * 200 acknowledges: every message was triggered, ignored or, beside good ones, rejected and recorded. 401 wrong secret,
 * 400 and 413 unreadable body, 422 nothing but messages that cannot be worked on, 503 Trigger.dev or the database did not
 * accept one, 500 not configured.
 * On anything but 200 Sequin delivers the whole request again; idempotency keys make that harmless.
 */
export async function receive<T extends AnyTask>(request: Request, plan: Plan<T>): Promise<Response> {
  try {
    authenticate(request);
    const deadline = Date.now() + DEADLINE_MS;
    const { batch, messages } = messagesOf(await readJson(request));
    const outcomes = await inParallel(messages, (message) => accept(message, plan, deadline));
    const route = new URL(request.url).pathname;
    return await answer({ route, batch, deadline }, outcomes);
  } catch (error) {
    return refuse(error);
  }
}
