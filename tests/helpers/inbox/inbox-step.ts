import type { Client } from "pg";
import type { Database } from "../../../packages/aftercommit/src/db/client.ts";
import type { EmbeddingSource } from "../../../packages/aftercommit/src/source.ts";

/** The connections of a scenario: one per transaction that is open at the same time. */
export type Sessions = { db: Database; source: EmbeddingSource; authors: Client[]; acceptors: Client[] };

/** What can happen next. An optional step may never happen. */
export type Step = { label: string; isOptional: boolean; run: () => Promise<unknown> };

export const step = (label: string, run: () => Promise<unknown>, isOptional = false): Step => ({
  label,
  isOptional,
  run,
});

export const rowIdOf = (row: number) => String(row + 1);
