import type { EmbeddedTable } from "../../drizzle/embedded-table.ts";

/** An embedded table with the tasks that embed its rows: one row an edit, and many in one run. */
export type EmbeddedSource = {
  of: EmbeddedTable;
  live: { task: string; payload(id: string, changedAt: string | null): object };
  bulk: { task: string; payload(ids: readonly string[]): object };
  /** Runs about one row carry a tag such as `post:17`. */
  tag: string;
};
