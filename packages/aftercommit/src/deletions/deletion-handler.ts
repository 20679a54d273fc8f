import { createHash } from "node:crypto";
import type { Database } from "../db/client.ts";
import type { DeletionDeclaration } from "../declare/declaration.ts";
import { InvalidMessageError, UnavailableError } from "../errors.ts";
import { available } from "../ingress/available.ts";
import { type Accepted, type Handler, isAbout } from "../ingress/outcome.ts";
import { rowIdOf } from "../ingress/row-id.ts";
import { log } from "../log.ts";
import { mapConcurrent } from "../map-concurrent.ts";
import { triggerRun } from "../runs/trigger-run.ts";
import type { SequinMessage } from "../sequin/message.ts";
import { cleanupRun } from "./cleanup-run.ts";
import { systemsOf } from "./external-systems.ts";
import { type NewDeletion, type Recorded, recordDeletions, recordFirstRun } from "./ledger.ts";

// Part of an index: Postgres accepts no NUL there, and no long text.
const positionText = (text: string) =>
  /^[\x20-\x7e]{1,200}$/.test(text) ? text : createHash("sha256").update(text).digest("hex");

/** The value that marks a row as deleted, as text; undefined if it is not marked, or only `delete` counts. */
function markOf({ when }: DeletionDeclaration, { record }: SequinMessage): string | undefined {
  const mark = when === "delete" ? undefined : (record[when] ?? undefined);
  return mark === undefined || typeof mark === "string" ? mark : JSON.stringify(mark);
}

/** The same for every delivery of one commit, whatever state Sequin is in. */
function commitOf({ metadata }: SequinMessage): string {
  const { commit_lsn, commit_idx, idempotency_key, commit_timestamp } = metadata;
  const change = commit_lsn == null || commit_idx == null ? idempotency_key : `${commit_lsn}:${commit_idx}`;
  const parts = [change, commit_timestamp].filter((part) => typeof part === "string");
  if (parts.length > 0) return parts.join(":");
  throw new InvalidMessageError("metadata.commit_lsn", "must tell this deletion from others of the same row");
}

/** Whether an update certainly left the mark alone. Under the default replica identity, the changes are unknown. */
const keptMark = ({ when }: DeletionDeclaration, { changes }: SequinMessage) =>
  Object.keys(changes ?? {}).length > 0 && !Object.hasOwn(changes ?? {}, when);

/** Where a deletion is in the history of its row; undefined if the message is not about a deletion. */
function positionOf(declaration: DeletionDeclaration, message: SequinMessage): string | undefined {
  const { action } = message;
  const mark = markOf(declaration, message);
  if (action === "delete") return mark ?? commitOf(message);
  if (action === "insert") return mark;
  // Rows that were marked before their table was declared may be updated as well.
  return action === "update" && !keptMark(declaration, message) ? mark : undefined;
}

// Null under the default replica identity: there is a deletion, but no one to confirm it to.
function emailOf({ email: column }: DeletionDeclaration, { record }: SequinMessage): string | null {
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
 * Handles the messages of a declared deletion: each deletion is in the ledger with the systems to notify before it has
 * a run. So an orphaned run loses nothing, no other configuration can leave a system out, and no personal data goes to
 * Trigger.dev.
 */
export const deletionHandler = (declaration: DeletionDeclaration): Handler<NewDeletion> => ({
  declaration,
  parse(message, keyType) {
    // A route that deletes accepts no message about an unknown table.
    if (!isAbout(declaration, message, { named: "required" })) return undefined;
    const position = positionOf(declaration, message);
    if (position === undefined) return undefined;
    const rowId = rowIdOf(message, declaration.key, keyType);
    const { row, email } = declaration;
    // The column was renamed, or a transform dropped it: without this warning, no one would notice that no e-mail is
    // sent.
    if (email !== undefined && !Object.hasOwn(message.record, email))
      log("error", "deletion.no_email_column", { source: row, rowId, column: email });
    return { rowId, position: positionText(position), email: emailOf(declaration, message) };
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
