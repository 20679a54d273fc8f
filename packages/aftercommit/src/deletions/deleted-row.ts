import type { DeletedRow, ExternalSystem } from "./external-system.ts";
import { type Deletion, keyOf } from "./ledger.ts";

type About = Pick<Deletion, "id" | "source" | "rowId" | "email" | "requestedAt">;

/** The deleted row as one system gets it: the address only where it asks for it. */
export const rowFor = (system: ExternalSystem, deletion: About): DeletedRow => ({
  row: deletion.source,
  id: deletion.rowId,
  email: system.email ? deletion.email : null,
  requestedAt: deletion.requestedAt,
  idempotencyKey: `${keyOf(deletion)}:${system.name}`,
});
