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

type Asked = Omit<NewDeletion, "email"> & { email: string | null | undefined };

/** The fields of a line about several: one of them, and how many there are. */
const some = (name: string, ids: readonly string[]) => ({ [name]: ids[0], deletions: ids.length });

/**
 * The address in a deleted row. Null if there is none, as under the default replica identity: no one is told. Undefined
 * if the row does not have the declared column.
 */
function emailOf({ email: column }: DeletionDeclaration, { record }: RowChange): string | null | undefined {
  if (column === undefined) return null;
  if (!Object.hasOwn(record, column)) return undefined;
  const email = record[column];
  if (typeof email !== "string" || email.includes("\0") || !email.isWellFormed()) return null;
  return email.trim() || null;
}

type Delivery = {
  db: Database;
  declaration: DeletionDeclaration;
  deadline: number;
  /** The ids of deletions that got no run, by the reason. */
  withoutRun: Map<string, string[]>;
};

async function startRun(
  { db, declaration, deadline, withoutRun }: Delivery,
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
    withoutRun.set(error.message, [...(withoutRun.get(error.message) ?? []), deletion.id]);
    return "pending";
  }
}

/**
 * Handles the changes of a declared deletion: each deletion is in the ledger with the systems to notify before it has
 * a run. So an orphaned run loses nothing, no other configuration can leave a system out, and no personal data goes to
 * Trigger.dev.
 */
export const deletionHandler = (declaration: DeletionDeclaration): Handler<Asked> => ({
  declaration,
  parse(change, keyType) {
    // A route that deletes accepts no change of an unknown table.
    if (!isAbout(declaration, change, { named: "required" })) return undefined;
    const position = positionOf(declaration, change);
    if (position === undefined) return undefined;
    const rowId = rowIdOf(change, declaration.key, keyType);
    return { rowId, position: positionText(position), email: emailOf(declaration, change) };
  },
  async enqueue(db, asked, deadline) {
    const { row, email: column } = declaration;
    const identity = ({ rowId, position }: Asked | Recorded) => JSON.stringify([rowId, position]);
    const distinct = [...new Map(asked.map((deletion) => [identity(deletion), deletion])).values()];
    // The column was renamed, or a transform dropped it: without this line, no one would notice that no e-mail is sent.
    const withoutColumn = distinct.filter(({ email }) => email === undefined).map(({ rowId }) => rowId);
    if (withoutColumn.length > 0)
      log("error", "deletion.no_email_column", { source: row, column, ...some("rowId", withoutColumn) });
    const decided = { source: row, requiredSystems: systemsOf(declaration).map(({ name }) => name) };
    const deletions = distinct.map(({ email = null, ...deletion }) => ({ ...deletion, email }));
    const recorded = await available(() => recordDeletions(db, decided, deletions), deadline);
    const withoutRun = new Map<string, string[]>();
    const accepted = await mapConcurrent(recorded, async (deletion) => {
      const result = await startRun({ db, declaration, deadline, withoutRun }, deletion);
      return [identity(deletion), result] as const;
    });
    for (const [error, ids] of withoutRun)
      log("warn", "deletion.pending", { error, ...some("deletionId", ids) });
    const results = new Map(accepted);
    return asked.map((deletion) => results.get(identity(deletion)) ?? "pending");
  },
});
