import { createHash } from "node:crypto";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { optional } from "../env/env.ts";
import { rootMessageOf } from "../errors.ts";
import { askTrigger } from "../runs/ask-trigger.ts";
import { withDeadline } from "../with-deadline.ts";

const WHILE_WELL = "30 seconds";
const WHILE_FAILING = "5 seconds";

/** Which Trigger.dev this process uses, with which key. Another deployment's may fail while this one's answers. */
function triggerEnvironment(): string {
  const address = [optional("TRIGGER_API_URL"), optional("TRIGGER_SECRET_KEY")].join("\n");
  return createHash("sha256").update(address).digest("hex").slice(0, 32);
}

/**
 * Rejects if Trigger.dev did not answer within `limitMs` when it was last asked. All processes together ask it every
 * 30 s, or every 5 s after a failure: each request counts towards the 1,500 a minute that triggering needs.
 */
export async function checkTrigger(db: Database, limitMs: number): Promise<void> {
  const environment = triggerEnvironment();
  const { rowCount: isDue } = await db.execute(sql`
    insert into aftercommit.trigger_health as known (environment, asked_at) values (${environment}, now())
    on conflict (environment) do update set asked_at = now() where known.asked_at < now() -
      case when known.failure is null then ${WHILE_WELL} else ${WHILE_FAILING} end::interval`);
  if (isDue) {
    // What other processes read until the next request, so that one that hangs is a failure for them, too.
    const failure = await withDeadline(askTrigger, Date.now() + limitMs).then(() => null, rootMessageOf);
    await db.execute(
      sql`update aftercommit.trigger_health set failure = ${failure} where environment = ${environment}`,
    );
  }
  const { rows } = await db.execute<{ failure: string | null }>(
    sql`select failure from aftercommit.trigger_health where environment = ${environment}`,
  );
  if (rows[0]?.failure) throw new Error(rows[0].failure);
}
