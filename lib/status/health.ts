import { queues } from "@trigger.dev/sdk";
import { connect, type Database } from "../../drizzle/client.ts";
import { findMissingMigrations } from "../../drizzle/queries/applied-migrations.ts";
import { beforeDeadline } from "../before-deadline.ts";
import { required } from "../env.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { freshFor } from "./fresh-for.ts";

const LIMIT_MS = 2_000;

export type Part = "database" | "migrations" | "trigger.dev";

type Deps = { db?: Database };

async function failing(part: Part, work: () => Promise<unknown>): Promise<Part[]> {
  try {
    await beforeDeadline(work, Date.now() + LIMIT_MS);
    return [];
  } catch (error) {
    log("error", "health.failing", { part, error: rootMessageOf(error) });
    return [part];
  }
}

async function failingDatabase(db?: Database): Promise<Part[]> {
  let missing: string[] = [];
  const unreadable = await failing("database", async () => {
    missing = await findMissingMigrations(db ?? connect(required("DATABASE_URL")));
  });
  if (missing.length > 0) log("error", "health.failing", { part: "migrations", missing: missing.join(", ") });
  return missing.length > 0 ? ["migrations"] : unreadable;
}

/** Lists what fails, each part asked for at most 2 s. Why it does is in the log only: strangers may ask. */
export async function findFailingParts({ db }: Deps = {}): Promise<Part[]> {
  const parts = await Promise.all([
    failingDatabase(db),
    // Small, and refused without a good key.
    failing("trigger.dev", () => queues.list({ perPage: 1 }, { retry: { maxAttempts: 1 } })),
  ]);
  return parts.flat();
}

/** As {@link findFailingParts}, at most once a second however many ask. */
export const health = freshFor(
  () => findFailingParts(),
  () => 1_000,
);
