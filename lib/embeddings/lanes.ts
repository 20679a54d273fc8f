import { createHash } from "node:crypto";

/** A row that a message of a delivery asks to be embedded; `key` is that of the change, `read` of a backfill. */
export type Asked = { id: string; key: string; read: boolean };

/** A run of the bulk lane: `urgent` ones go before backfills. */
export type BulkRun<T extends Asked> = { rows: readonly T[]; key: string; urgent: boolean };

// As many changes of one delivery are edits that came together; more are a transaction over many rows.
const MOST_LIVE = 10;

function bulkRun<T extends Asked>(rows: readonly T[], urgent: boolean): BulkRun<T> {
  const keys = rows.map(({ key }) => key).sort();
  const digest = createHash("sha256").update(JSON.stringify(keys)).digest("hex");
  return { rows, key: `bulk:${digest}`, urgent };
}

/**
 * Parts what a delivery asks for: a few changes are edits, and each has a run of its own at once; many, and all rows
 * of a backfill, share one run of the bulk lane. A delivery that is repeated is parted the same way, by the same keys.
 */
export function lanesOf<T extends Asked>(asked: readonly T[]): { live: T[]; bulk: BulkRun<T>[] } {
  const changes = asked.filter(({ read }) => !read);
  const reads = asked.filter(({ read }) => read);
  const live = changes.length <= MOST_LIVE ? changes : [];
  const bulk = [
    ...(changes.length > MOST_LIVE ? [bulkRun(changes, true)] : []),
    ...(reads.length > 0 ? [bulkRun(reads, false)] : []),
  ];
  return { live, bulk };
}
