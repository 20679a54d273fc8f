import { ApiError } from "@trigger.dev/sdk";
import { DrizzleQueryError } from "drizzle-orm/errors";
import { DatabaseError } from "pg";
import { EnvironmentError } from "../env/env.ts";
import { rootMessageOf, rootOf } from "../errors.ts";
import { log } from "../log.ts";
import { ModelError } from "../models/models.ts";
import { SourceError } from "../source.ts";
import { DeadlineError, withDeadline } from "../with-deadline.ts";

// The page waits no longer for any of its parts.
const LIMIT_MS = 5_000;

/** A part of the page: what was read, or why it could not be. */
export type Part<T> = { known: true; value: T } | { known: false; problem: string };

const UNDEFINED_OBJECTS = ["3F000", "42P01", "42703"];

const isOfSystem = (error: unknown) =>
  error instanceof Error && "code" in error && typeof error.code === "string" && /^E[A-Z]/.test(error.code);

/** Why something that reads the database failed, safe to show on the status page. */
function databaseProblem(error: unknown): string {
  const root = rootOf(error);
  if (root instanceof EnvironmentError || root instanceof SourceError || root instanceof ModelError)
    return root.message;
  if (root instanceof DatabaseError) {
    const advice = UNDEFINED_OBJECTS.includes(root.code ?? "")
      ? " (npx aftercommit migrate applies what is missing)"
      : "";
    return `the database answers with error ${root.code}${advice}`;
  }
  // A failed query without the server's error got no response.
  const unanswered = root instanceof DeadlineError || error instanceof DrizzleQueryError || isOfSystem(root);
  return unanswered ? "the database does not answer" : "an error of this app";
}

/** Why a request to Trigger.dev failed, safe to show. */
export function triggerProblem(error: unknown): string {
  if (error instanceof EnvironmentError) return error.message;
  const status = error instanceof ApiError ? error.status : undefined;
  if (status !== undefined && status >= 400) return `Trigger.dev answers ${status}`;
  const unanswered = error instanceof DeadlineError || (error instanceof ApiError && status === undefined);
  return unanswered ? "Trigger.dev does not answer" : "Trigger.dev's answer is none of its API";
}

/** Reads one part of the page from the database, within 5 s. A failure is logged in full and shown in a few words. */
export async function readPart<T>(part: string, work: () => Promise<T>): Promise<Part<T>> {
  try {
    return { known: true, value: await withDeadline(work, Date.now() + LIMIT_MS) };
  } catch (error) {
    log("error", "status.part_unknown", { part, error: rootMessageOf(error) });
    return { known: false, problem: databaseProblem(error) };
  }
}
