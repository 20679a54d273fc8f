/**
 * `realtime`: a change of one row, processed before the others. `batch`: rows of a backfill or of a large transaction.
 */
export type Queue = "realtime" | "batch";

/** A row that may have changed. `changedAt` is the time of the commit, null if unknown. */
export type Change = { rowId: string; queue: Queue; changedAt: string | null };

/** An entry of the inbox that a worker has leased. */
export type Leased = {
  rowId: string;
  queue: Queue;
  version: string;
  acceptedXid: string;
  changedAt: string | null;
  /** How many leases the entry has had since it was accepted, including this one. */
  attempts: number;
};

/** Entries that were leased together, with one token. */
export type Lease = { token: string; entries: Leased[] };
