import { UnavailableError } from "../errors.ts";
import { SourceError } from "../source.ts";
import { withDeadline } from "../with-deadline.ts";

/**
 * Runs a query that must succeed before a delivery is acknowledged. Rejects with UnavailableError if the database does
 * not answer before `deadline`, in Unix milliseconds, and with SourceError if it is not migrated.
 */
export async function available<T>(query: () => Promise<T>, deadline: number): Promise<T> {
  try {
    return await withDeadline(query, deadline);
  } catch (cause) {
    if (cause instanceof SourceError) throw cause;
    throw new UnavailableError("The database did not take the rows; deliver again", { cause });
  }
}
