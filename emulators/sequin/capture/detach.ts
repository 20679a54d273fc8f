import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Pool } from "pg";
import { attachTriggers } from "./attach.ts";

const TRIES = 2;

/** Takes the triggers off every table. What somebody's lock prevents is said, not waited for. */
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
