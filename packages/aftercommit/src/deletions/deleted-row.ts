import type { DeletedRow, ExternalSystem } from "../declare/external-system.ts";
import { type Deletion, keyOf } from "./ledger.ts";

type About = Pick<Deletion, "id" | "source" | "rowId" | "email" | "requestedAt" | "systems">;

/** The deleted row as one system gets it: the address only where it asks for it. */
export function rowFor(system: ExternalSystem, deletion: About): DeletedRow {
  const { times_found: timesFound } = deletion.systems[system.name] ?? {};
  return {
    row: deletion.source,
    id: deletion.rowId,
    email: system.email ? deletion.email : null,
    requestedAt: deletion.requestedAt,
    // A system that has answered one key would take the next clean-up for one that it has done already.
    idempotencyKey: [keyOf(deletion), system.name, timesFound].filter((part) => part !== undefined).join(":"),
  };
}
