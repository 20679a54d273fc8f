import { desc, gt, sql, sum } from "drizzle-orm";
import type { Database } from "../client.ts";
import { embeddingUsage } from "../schema.ts";

const today = sql`(now() at time zone 'utc')::date`;

/** Adds one answered request to the present UTC day. */
export async function addUsage(
  db: Database,
  { model, tokens }: { model: string; tokens: number },
): Promise<void> {
  await db
    .insert(embeddingUsage)
    .values({ day: today, model, calls: 1, tokens })
    .onConflictDoUpdate({
      target: [embeddingUsage.day, embeddingUsage.model],
      // One statement, so that runs which end at the same time do not overwrite each other's count.
      set: {
        calls: sql`${embeddingUsage.calls} + excluded.calls`,
        tokens: sql`${embeddingUsage.tokens} + excluded.tokens`,
      },
    });
}

export type DayOfUsage = { day: string; calls: number; tokens: number };

/** The UTC days with usage among the last ones, newest first, all models together. `day` is like 2026-01-31. */
export async function readUsage(db: Database, days: number): Promise<DayOfUsage[]> {
  return db
    .select({
      day: embeddingUsage.day,
      calls: sum(embeddingUsage.calls).mapWith(Number),
      tokens: sum(embeddingUsage.tokens).mapWith(Number),
    })
    .from(embeddingUsage)
    .where(gt(embeddingUsage.day, sql`${today} - ${days}::int`))
    .groupBy(embeddingUsage.day)
    .orderBy(desc(embeddingUsage.day));
}
