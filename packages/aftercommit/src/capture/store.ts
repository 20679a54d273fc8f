import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { isAbout, isSameTable, type RowChange } from "../changes/row-change.ts";
import type { Database } from "../db/client.ts";
import type { TableName } from "../db/identifiers.ts";
import type { Declaration } from "../declare/declaration.ts";
import { rootMessageOf } from "../errors.ts";
import { work } from "../ingress/work.ts";
import { log } from "../log.ts";
import { wantedSink } from "../sequin-config/sinks.ts";
import { withHandler } from "../with-handler.ts";

// Like a route's request.
const DEADLINE_MS = 20_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;

/** A part of what was read: changes in their order, and truncated tables. */
export type Read = { changes: RowChange[]; truncated: TableName[] };

/** A truncation names no rows: vectors without rows are found by comparing, deleted rows are gone. */
async function noticeTruncated(db: Database, declaration: Declaration): Promise<void> {
  const { kind, row } = declaration;
  if (kind === "embedding")
    await db.execute(sql`update aftercommit.sources set reconciled_at = null where name = ${row}`);
  log(kind === "deletion" ? "error" : "warn", "capture.truncated", { source: row });
}

/** Tries again until it succeeds. Rejects only when `stopped`. */
async function persist(what: string, stopped: AbortSignal, attempt: () => Promise<unknown>): Promise<void> {
  for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, LAST_RETRY_MS)) {
    stopped.throwIfAborted();
    try {
      await attempt();
      return;
    } catch (error) {
      log("error", "capture.not_stored", { source: what, error: rootMessageOf(error) });
      await sleep(waitMs, undefined, { signal: stopped });
    }
  }
}

/**
 * Stores what changes ask for and triggers the runs, as the routes do. Resolves when all of it is stored, however long
 * the database is away, and rejects only when `stopped`.
 */
export function storeFor(db: Database, declarations: readonly Declaration[]) {
  const parts = declarations.map((declaration) => {
    const actions: readonly string[] = wantedSink(declaration).actions;
    const enqueue = withHandler(
      declaration,
      (handler) => (changes: readonly RowChange[]) =>
        work(
          db,
          handler,
          changes.map((change) => ({ at: "", read: () => change })),
          Date.now() + DEADLINE_MS,
        ),
    );
    return async ({ changes, truncated }: Read, stopped: AbortSignal) => {
      const own = changes.filter(
        (change) => isAbout(declaration, change, { named: "required" }) && actions.includes(change.action),
      );
      if (own.length > 0) await persist(declaration.row, stopped, () => enqueue(own));
      if (truncated.some((table) => isSameTable(table, declaration.table)))
        await persist(declaration.row, stopped, () => noticeTruncated(db, declaration));
    };
  });
  return async (read: Read, stopped: AbortSignal): Promise<void> => {
    await Promise.all(parts.map((part) => part(read, stopped)));
  };
}
