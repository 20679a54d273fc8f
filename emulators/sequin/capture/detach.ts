import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Pool } from "pg";
import { attachTriggers } from "./attach.ts";

const TRIES = 2;

/** Drops the triggers of every table. If a lock prevents that, this says so and does not wait. */
export async function detachTriggers(pool: Pool, schema: string, log: Log): Promise<void> {
  for (let tries = 1; ; tries++) {
    const present = await attachTriggers(pool, schema, () => false, log);
    const kept = present
      .filter(({ captured }) => captured)
      .map(({ table }) => `${table.schema}.${table.name}`);
    if (kept.length === 0) return;
    if (tries === TRIES) throw new Error(`${kept.join(", ")} keep their triggers`);
  }
}
