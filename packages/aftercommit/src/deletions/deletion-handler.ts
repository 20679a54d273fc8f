import { createHash } from "node:crypto";
import { isAbout, type RowChange } from "../changes/row-change.ts";
import type { Database } from "../db/client.ts";
import type { DeletionDeclaration } from "../declare/declaration.ts";
import { InvalidMessageError, UnavailableError } from "../errors.ts";
import { available } from "../ingress/available.ts";
import type { Accepted, Handler } from "../ingress/outcome.ts";
import { rowIdOf } from "../ingress/row-id.ts";
import { log } from "../log.ts";
import { mapConcurrent } from "../map-concurrent.ts";
import { triggerRun } from "../runs/trigger-run.ts";
import { cleanupRun } from "./cleanup-run.ts";
import { systemsOf } from "./external-systems.ts";
import { type NewDeletion, type Recorded, recordDeletions, recordFirstRun } from "./ledger.ts";

// Part of an index: Postgres accepts no NUL there, and no long text.
const positionText = (text: string) =>
  /^[\x20-\x7e]{1,200}$/.test(text) ? text : createHash("sha256").update(text).digest("hex");

/** The value that marks a row as deleted, as text; undefined if it is not marked, or only `delete` counts. */
function markOf({ when }: DeletionDeclaration, { record }: RowChange): string | undefined {
  const mark = when === "delete" ? undefined : (record[when] ?? undefined);
  return mark === undefined || typeof mark === "string" ? mark : JSON.stringify(mark);
}

/** Where a deletion is in the history of its row; undefined if the change is not a deletion. */
function positionOf(declaration: DeletionDeclaration, change: RowChange): string | undefined {
  const { action, changed, position } = change;
  const mark = markOf(declaration, change);
  if (action === "insert") return mark;
  // Rows that were marked before their table was declared may be updated as well. Unknown changes may be of the mark.
  if (action === "update") return changed?.includes(declaration.when) === false ? undefined : mark;
  if (action !== "delete") return undefined;
  const known = mark ?? position;
  if (known !== undefined) return known;
  throw new InvalidMessageError("metadata.commit_lsn", "must tell this deletion from others of the same row");
}

// Null under the default replica identity: there is a deletion, but no one to confirm it to.
function emailOf({ email: column }: DeletionDeclaration, { record }: RowChange): string | null {
  const email = column === undefined ? undefined : record[column];
  if (typeof email !== "string" || email.includes("\0") || !email.isWellFormed()) return null;
  return email.trim() || null;
}

async function startRun(
  { db, declaration, deadline }: { db: Database; declaration: DeletionDeclaration; deadline: number },
  deletion: Recorded,
): Promise<Accepted> {
  if (deletion.runId !== null) return { runId: deletion.runId };
  try {
    const runId = await triggerRun(cleanupRun(declaration, deletion), deadline);
    await available(() => recordFirstRun(db, deletion.id, runId), deadline);
    return { runId };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    // The deletion is in the ledger: resumption finds it and requests the run with the same key.
    log("warn", "deletion.pending", { deletionId: deletion.id, error: error.message });
    return "pending";
  }
}

/**
 * Handles the changes of a declared deletion: each deletion is in the ledger with the systems to notify before it has
 * a run. So an orphaned run loses nothing, no other configuration can leave a system out, and no personal data goes to
 * Trigger.dev.
 */
export const deletionHandler = (declaration: DeletionDeclaration): Handler<NewDeletion> => ({
  declaration,
  parse(change, keyType) {
    // A route that deletes accepts no change of an unknown table.
    if (!isAbout(declaration, change, { named: "required" })) return undefined;
    const position = positionOf(declaration, change);
    if (position === undefined) return undefined;
    const rowId = rowIdOf(change, declaration.key, keyType);
    const { row, email } = declaration;
    // The column was renamed, or a transform dropped it: without this warning, no one would notice that no e-mail is
    // sent.
    if (email !== undefined && !Object.hasOwn(change.record, email))
      log("error", "deletion.no_email_column", { source: row, rowId, column: email });
    return { rowId, position: positionText(position), email: emailOf(declaration, change) };
  },
  async enqueue(db, asked, deadline) {
    const identity = ({ rowId, position }: NewDeletion | Recorded) => JSON.stringify([rowId, position]);
    const distinct = [...new Map(asked.map((deletion) => [identity(deletion), deletion])).values()];
    const decided = {
      source: declaration.row,
      requiredSystems: systemsOf(declaration).map(({ name }) => name),
    };
    const recorded = await available(() => recordDeletions(db, decided, distinct), deadline);
    const accepted = await mapConcurrent(recorded, async (deletion) => {
      const result = await startRun({ db, declaration, deadline }, deletion);
      return [identity(deletion), result] as const;
    });
    const results = new Map(accepted);
    return asked.map((deletion) => results.get(identity(deletion)) ?? "pending");
  },
});
