/** `realtime`: a change of one row, worked on before the others. `batch`: rows of a backfill or of a large transaction. */
export type Queue = "realtime" | "batch";

/** A row that may have changed. `changedAt` is when the change was committed, null where nobody knows. */
export type Change = { rowId: string; queue: Queue; changedAt: string | null };

/** An entry of the inbox that a worker has leased. */
export type Leased = {
  rowId: string;
  queue: Queue;
  version: string;
  acceptedXid: string;
  changedAt: string | null;
  /** How many leases the entry has had since it was accepted, this one included. */
  attempts: number;
};

/** The entries that were leased together, by one token. */
export type Lease = { token: string; entries: Leased[] };
