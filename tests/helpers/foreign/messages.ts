import type { Client } from "pg";
import { z } from "zod";
import { quoted, quotedColumn } from "../../../packages/aftercommit/src/db/identifiers.ts";
import type { Declaration } from "../../../packages/aftercommit/src/declare/declaration.ts";
import { type Recorded, recorded, withMetadata } from "../../fixtures/recorded.ts";

type Change = {
  action?: "insert" | "update" | "delete" | "read";
  record: Record<string, unknown>;
  /** The old values of the columns that differ, which replica identity full provides. */
  changes?: Record<string, unknown>;
  /** The key in Sequin's metadata, if it differs from the record's. */
  key?: string;
};

let commits = 0;

/** The messages of one commit: recorded ones, about other rows. */
export function commitOf({ table, key }: Declaration, changes: readonly Change[]): Recorded[] {
  commits += 1;
  const commit_lsn = 40_000_000 + commits * 1_000;
  const commit_timestamp = new Date().toISOString();
  return changes.map(({ action = "update", record, changes: replaced = {}, ...row }, commit_idx) => ({
    ...withMetadata(recorded("02_posts_update"), {
      table_schema: table.schema,
      table_name: table.name,
      commit_lsn,
      commit_idx,
      commit_timestamp,
      idempotency_key: Buffer.from(`${commit_lsn}:${commit_idx}`).toString("base64"),
      record_pks: [row.key ?? String(record[key])],
    }),
    action,
    record,
    changes: action === "update" ? replaced : null,
  }));
}

const rowSchema = z.record(z.string(), z.unknown());

/** A row as it is in a message. */
export async function rowOf(client: Client, { table, key }: Declaration, id: string) {
  const { rows } = await client.query(
    `select to_jsonb(t) as row from ${quoted(table)} t where ${quotedColumn(key)}::text = $1`,
    [id],
  );
  return rowSchema.parse(rows[0]?.row);
}
