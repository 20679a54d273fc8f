import { setTimeout } from "node:timers/promises";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { columnSql, quoted, tableSql } from "../db/identifiers.ts";
import type { DeletionDeclaration } from "../declare/declaration.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { keyTypeSql, sourceOf, unstampedSql } from "../source.ts";
import { StepError } from "./errors.ts";
import { isHeld } from "./holds.ts";
import { type Deletion, recordRowIsBack } from "./ledger.ts";
import { endReplay } from "./replays.ts";
import { unknownDeletion } from "./step.ts";

const EVERY_MS = 200;
const PATIENCE_MS = 5_000;
const LATER_MS = 60_000;

type Look = { present: boolean; certain: boolean };

const xmin = sql`pg_snapshot_xmin(pg_current_snapshot())`;
const xmax = sql`pg_snapshot_xmax(pg_current_snapshot())`;

/** The condition under which a row counts as not deleted. */
export const presentSql = ({ when }: DeletionDeclaration): SQL =>
  when === "delete" ? sql`true` : sql`${columnSql(when)} is null`;

/**
 * One statement, so that row and snapshot are from the same moment. A read is certain by rule 4: the snapshot has
 * reached the transaction that accepted the deletion, or the tuple's xmax is 0. A transaction id in the future belongs
 * to another cluster, from which the ledger was copied along with everything visible there.
 */
function lookSql(declaration: DeletionDeclaration, { id, rowId }: Deletion, keyType: SQL): SQL {
  const { table, key } = declaration;
  return sql`
    select coalesce(found.present, false) as present,
      found.unstamped or d.accepted_xid <= ${xmin} or d.accepted_xid >= ${xmax} as certain
    from aftercommit.deletions d
    left join lateral (
      select ${presentSql(declaration)} as present, ${unstampedSql(sql`t`)} as unstamped
      from ${tableSql(table)} as t where t.${columnSql(key)} = ${rowId}::${keyType}
    ) found on true
    where d.id = ${id}`;
}

/** Rejects with StepError, also if the row may only be hidden from this role. */
async function look(db: Database, declaration: DeletionDeclaration, deletion: Deletion): Promise<Look> {
  const query = lookSql(declaration, deletion, keyTypeSql(await sourceOf(db, declaration)));
  const looked = db.transaction(
    async (tx) => {
      // Rule 3: rows that a policy hides are an error, not deleted.
      await tx.execute(sql`set local row_security = off`);
      return tx.execute<Look>(query);
    },
    { accessMode: "read only" },
  );
  const { rows } = await looked.catch((error: unknown) => {
    throw new StepError(`cannot look at ${quoted(declaration.table)}: ${rootMessageOf(error)}`);
  });
  if (!rows[0]) throw unknownDeletion(deletion.id);
  return rows[0];
}

/**
 * Checks the row of a deletion before a step. True if it certainly exists, or is no longer marked: the deletion has
 * ended, and no one is notified. If the deletion may only not be visible yet, it checks again for some seconds. Rejects
 * with StepError if the row cannot be read, or not with certainty yet, and with SourceError.
 */
export async function rowIsBack(
  db: Database,
  declaration: DeletionDeclaration,
  deletion: Deletion,
): Promise<boolean> {
  const patience = Date.now() + PATIENCE_MS;
  for (;;) {
    const { present, certain } = await look(db, declaration, deletion);
    if (!present) return false;
    if (certain) break;
    if (Date.now() > patience)
      throw new StepError("the row exists, and its deletion may not be visible yet", {
        retryAt: new Date(Date.now() + LATER_MS),
      });
    await setTimeout(EVERY_MS);
  }
  const { id, source, rowId } = deletion;
  await recordRowIsBack(db, id);
  await endReplay(db, deletion);
  log("warn", "deletion.row_is_back", { deletionId: id, source, rowId });
  return true;
}

export type Obstacle = "row-is-back" | "held";

/** Checks before a step whether something prevents it. Rejects like {@link rowIsBack}. */
export async function obstacleTo(
  db: Database,
  declaration: DeletionDeclaration,
  deletion: Deletion,
): Promise<Obstacle | undefined> {
  if (deletion.outcome || (await rowIsBack(db, declaration, deletion))) return "row-is-back";
  return (await isHeld(db, deletion)) ? "held" : undefined;
}
