import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { columnSql, tableSql } from "../db/identifiers.ts";
import type { DeletionDeclaration } from "../declare/declaration.ts";
import { keyWindows, within } from "../key-windows.ts";
import { keyTypeSql, type Queries, sourceOf } from "../source.ts";
import type { ReceiptKey } from "./receipt-key.ts";
import type { Receipt } from "./receipts.ts";
import { recordReplay } from "./replays.ts";
import { presentSql } from "./row-is-back.ts";

export type ReturnedRow = { rowId: string; receipt: Receipt };

/** The last receipt of each row, because a row may be deleted, inserted and deleted again. */
function lastOfEachRow(receipts: readonly Receipt[]): Map<string, Receipt> {
  const order = ({ requested_at: at, iat }: Receipt) => [at, String(iat).padStart(12, "0")].join();
  const sorted = receipts.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
  return new Map(sorted.map((receipt) => [receipt.row, receipt]));
}

async function keysIn(db: Database, query: SQL): Promise<string[]> {
  const { rows } = await db.transaction(
    async (tx) => {
      // Otherwise a row that a policy hides would be silently left behind.
      await tx.execute(sql`set local row_security = off`);
      return tx.execute<{ id: string }>(query);
    },
    { accessMode: "read only" },
  );
  return rows.map(({ id }) => id);
}

/**
 * Finds the rows of a declared table that exist although receipts say that they were deleted at `since` or later, for
 * example after restoring a backup of that time. Reads every key of the table.
 */
export async function findReturned(
  db: Database,
  declaration: DeletionDeclaration,
  { receipts, since, key }: { receipts: readonly Receipt[]; since: Date; key: ReceiptKey },
): Promise<ReturnedRow[]> {
  const wanted = lastOfEachRow(receipts.filter(({ source }) => source === declaration.row));
  for (const [row, { state, requested_at: at }] of wanted)
    if (state === "row_is_back" || new Date(at) < since) wanted.delete(row);
  if (wanted.size === 0) return [];

  const source = await sourceOf(db, declaration);
  const table = tableSql(declaration.table);
  const column = columnSql(declaration.key);
  const found: ReturnedRow[] = [];
  for await (const window of keyWindows(db, source, [{ key: column, from: sql`${table} where true` }])) {
    const ids = await keysIn(
      db,
      sql`select ${column}::text as id from ${table}
        where ${within(column, source, window)} and ${presentSql(declaration)} order by ${column}`,
    );
    for (const rowId of ids) {
      const receipt = wanted.get(key.hash(declaration.row, rowId));
      if (receipt) found.push({ rowId, receipt });
    }
  }
  return found;
}

/**
 * Deletes a row again, or marks it, so that it is cleaned up like any other. A user who already got the confirmation
 * gets no second one. Rejects with the database's error, for example for a role without the privilege.
 */
export async function deleteAgain(
  db: Pick<Database, "transaction">,
  declaration: DeletionDeclaration,
  { rowId, receipt }: ReturnedRow,
): Promise<void> {
  const { row, table, key, when } = declaration;
  await db.transaction(async (tx) => {
    const queries: Queries = tx;
    const keyType = keyTypeSql(await sourceOf(queries, declaration));
    const condition = sql`${columnSql(key)} = ${rowId}::${keyType} and ${presentSql(declaration)}`;
    const sentAt = receipt.confirmation_sent_at;
    if (sentAt) await recordReplay(queries, { source: row, rowId }, sentAt);
    await queries.execute(
      when === "delete"
        ? sql`delete from ${tableSql(table)} where ${condition}`
        : sql`update ${tableSql(table)} set ${columnSql(when)} = now() where ${condition}`,
    );
  });
}
