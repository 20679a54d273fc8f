import type { Database } from "../db/client.ts";
import { database } from "../db/database.ts";
import type { Declaration } from "../declare/declaration.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { mapConcurrent } from "../map-concurrent.ts";
import { memoizeFor } from "../memoize-for.ts";
import { findMissingMigrations } from "../migrate/missing-migrations.ts";
import { SourceError, sourceOf } from "../source.ts";
import { withDeadline } from "../with-deadline.ts";
import { checkTrigger } from "./trigger-health.ts";

/** `declarations`: the database has no declaration of a table, or another one; npx aftercommit migrate records it. */
export type Part = "database" | "migrations" | "declarations" | "trigger.dev";

const FRESH_MS = 5_000;
const LIMIT_MS = 2_000;

/** The database does not have the shape that this version needs. */
class NotMigratedError extends Error {
  override readonly name = "NotMigratedError";
}

function partOf(error: unknown, part: Part): Part {
  if (error instanceof NotMigratedError) return "migrations";
  return error instanceof SourceError ? "declarations" : part;
}

async function failing(part: Part, work: () => Promise<unknown>): Promise<Part[]> {
  try {
    await work();
    return [];
  } catch (error) {
    const failed = partOf(error, part);
    log("error", "health.failing", { part: failed, error: rootMessageOf(error) });
    return [failed];
  }
}

async function askDatabase(db: Database, declarations: readonly Declaration[]): Promise<void> {
  const missing = await findMissingMigrations(db);
  if (missing.length > 0) throw new NotMigratedError(`not applied: ${missing.join(", ")}`);
  await mapConcurrent(declarations, (declaration) => sourceOf(db, declaration));
}

/**
 * Lists the failing parts, with at most `limitMs` per part. The reasons are only logged, because anyone may call this. If the
 * database fails, Trigger.dev is not asked.
 */
export async function findFailingParts(
  declarations: readonly Declaration[],
  { db, limitMs }: { db: () => Database; limitMs: number },
): Promise<Part[]> {
  const ask = async () => askDatabase(db(), declarations);
  const failed = await failing("database", () => withDeadline(ask, Date.now() + limitMs));
  return failed.length > 0 ? failed : failing("trigger.dev", () => checkTrigger(db(), limitMs));
}

/** Like {@link findFailingParts}, at most once every 5 s, however many requests arrive. */
export const healthOf = (declarations: readonly Declaration[]): (() => Promise<Part[]>) =>
  memoizeFor(
    () => findFailingParts(declarations, { db: database, limitMs: LIMIT_MS }),
    () => FRESH_MS,
  );
