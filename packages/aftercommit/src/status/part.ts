import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { withDeadline } from "../with-deadline.ts";
import { databaseProblem } from "./problem-of.ts";

// The page waits no longer for any of its parts.
const LIMIT_MS = 5_000;

/** A part of the page: what was read, or why it could not be. */
export type Part<T> = { known: true; value: T } | { known: false; problem: string };

/** Reads one part of the page from the database, within 5 s. A failure is logged in full and shown in a few words. */
export async function readPart<T>(part: string, work: () => Promise<T>): Promise<Part<T>> {
  try {
    return { known: true, value: await withDeadline(work, Date.now() + LIMIT_MS) };
  } catch (error) {
    log("error", "status.part_unknown", { part, error: rootMessageOf(error) });
    return { known: false, problem: databaseProblem(error) };
  }
}
