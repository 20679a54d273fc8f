import { DeclarationError } from "../declaration-error.ts";
import { EnvironmentError } from "../env/env.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { ModelError } from "../models/models.ts";
import { PausedError, SearchRateError, SpendCapError } from "../providers/errors.ts";
import { SourceError } from "../source.ts";
import { InvalidSearchError, RowNotFoundError } from "./options.ts";

/**
 * The embedding provider or the database does not answer now, or `text` or `where` of the declaration fails on a row.
 * The message is safe to show.
 *
 * @example
 * if (error instanceof SearchUnavailableError) return Response.json({ error: error.message }, { status: 503 });
 */
export class SearchUnavailableError extends Error {
  override readonly name = "SearchUnavailableError";
}

export const NO_DATABASE = "The database does not answer now; try again in a moment";
export const NO_PROVIDER = "The embedding provider does not answer now; try again in a moment";

// Their messages say how to fix it.
const SAFE_TO_SHOW = [
  EnvironmentError,
  ModelError,
  DeclarationError,
  SourceError,
  SpendCapError,
  SearchRateError,
];

const PASSED_ON = [InvalidSearchError, RowNotFoundError, SearchUnavailableError];

/** Rejects with SearchUnavailableError, and logs the cause, if the work fails. */
export async function available<T>(work: () => Promise<T>, message: string): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (PASSED_ON.some((type) => cause instanceof type)) throw cause;
    // They last, and the first of them is logged elsewhere, or there are many of them.
    const isExpected = cause instanceof PausedError || cause instanceof SearchRateError;
    if (!isExpected) log("error", "search.unavailable", { error: message, cause: rootMessageOf(cause) });
    const isSafe = SAFE_TO_SHOW.some((type) => cause instanceof type);
    throw new SearchUnavailableError(isSafe && cause instanceof Error ? cause.message : message, { cause });
  }
}
