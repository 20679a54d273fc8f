import { sql } from "drizzle-orm";
import type { Database } from "../src/db/client.ts";
import { wake } from "../src/inbox/wake.ts";
import type { EmbeddingSource, Queries } from "../src/source.ts";
import { pause, progress } from "./command.ts";

type Left = { pending: number; failed: number };

/** What is in the inbox, up to a version, or has failed. */
async function leftOf(db: Queries, sources: readonly EmbeddingSource[], version: string): Promise<Left> {
  const names = sql.param(sources.map(({ name }) => name));
  const { rows } = await db.execute<Left>(sql`
    select count(*) filter (where error is null and settle_xid is null and version <= ${version})::int as pending,
      count(*) filter (where error is not null)::int as failed
    from aftercommit.pending where source = any(${names}::text[])`);
  return rows[0] ?? { pending: 0, failed: 0 };
}

async function presentVersion(db: Queries): Promise<string> {
  const { rows } = await db.execute<{ version: string }>(
    sql`select nextval('aftercommit.pending_version')::text as version`,
  );
  return rows[0]?.version ?? "0";
}

/**
 * Shows a progress bar until everything that is in the inbox now has been processed. Does not wait for later changes,
 * or it would never end on a busy table. Resolves with what has failed, which is retried automatically.
 */
export async function waitForInbox(
  db: Database,
  sources: readonly EmbeddingSource[],
): Promise<{ failed: number }> {
  const bar = progress("embedded");
  const version = await presentVersion(db);
  let most = 0;
  for (;;) {
    const startedAt = Date.now();
    for (const { declaration } of sources) await wake(db, declaration);
    const { pending, failed } = await leftOf(db, sources, version);
    most = Math.max(most, pending);
    bar.show(most - pending, most);
    if (pending === 0) {
      bar.end();
      return { failed };
    }
    await pause(startedAt);
  }
}
