import type { Database } from "../../drizzle/client.ts";
import { findMissingMigrations } from "../../drizzle/queries/applied-migrations.ts";
import { beforeDeadline } from "../before-deadline.ts";
import { database } from "../database.ts";
import { rootMessageOf } from "../errors.ts";
import { freshFor } from "../fresh-for.ts";
import { log } from "../log.ts";
import { askTrigger } from "../runs/ask-trigger.ts";

export type Part = "database" | "migrations" | "trigger.dev";

type Deps = { db?: Database; limitMs?: number };

async function failing(part: Part, work: () => Promise<unknown>, limitMs: number): Promise<Part[]> {
  try {
    await beforeDeadline(work, Date.now() + limitMs);
    return [];
  } catch (error) {
    log("error", "health.failing", { part, error: rootMessageOf(error) });
    return [part];
  }
}

async function failingDatabase(limitMs: number, db?: Database): Promise<Part[]> {
  let missing: string[] = [];
  const read = async () => {
    missing = await findMissingMigrations(db ?? database());
  };
  const unreadable = await failing("database", read, limitMs);
  if (missing.length > 0) log("error", "health.failing", { part: "migrations", missing: missing.join(", ") });
  return missing.length > 0 ? ["migrations"] : unreadable;
}

/** Lists what fails, each part asked for 2 s at most. Why it does is in the log only: strangers may ask. */
export async function findFailingParts({ db, limitMs = 2_000 }: Deps = {}): Promise<Part[]> {
  const parts = await Promise.all([
    failingDatabase(limitMs, db),
    failing("trigger.dev", askTrigger, limitMs),
  ]);
  return parts.flat();
}

/** As {@link findFailingParts}, at most once a second however many ask. */
export const health = freshFor(
  () => findFailingParts(),
  () => 1_000,
);
