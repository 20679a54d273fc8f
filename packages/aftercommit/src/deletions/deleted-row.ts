import type { DeletedRow, ExternalSystem } from "../declare/external-system.ts";
import { type Deletion, keyOf } from "./ledger.ts";

export type About = Pick<Deletion, "id" | "source" | "rowId" | "email" | "requestedAt" | "systems">;

/** The deleted row as one system receives it, with the address only if the system asks for it. */
export function rowFor(system: ExternalSystem, deletion: About): DeletedRow {
  const { times_found: timesFound } = deletion.systems[system.name] ?? {};
  return {
    row: deletion.source,
    id: deletion.rowId,
    email: system.email ? deletion.email : null,
    requestedAt: deletion.requestedAt,
    // With the same key, the system would skip the next clean-up as a duplicate.
    idempotencyKey: [keyOf(deletion), system.name, timesFound].filter((part) => part !== undefined).join(":"),
  };
}
