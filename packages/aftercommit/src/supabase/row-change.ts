import * as z from "zod";
import { changedColumns } from "../changes/changed-columns.ts";
import type { RowChange } from "../changes/row-change.ts";
import { InvalidMessageError } from "../errors.ts";

const columns = z.record(z.string(), z.unknown());
const base = { schema: z.string(), table: z.string() };
const payload = z.discriminatedUnion("type", [
  z.looseObject({ ...base, type: z.literal("INSERT"), record: columns }),
  z.looseObject({ ...base, type: z.literal("UPDATE"), record: columns, old_record: columns }),
  z.looseObject({ ...base, type: z.literal("DELETE"), old_record: columns }),
]);

/**
 * The change of a database webhook of Supabase (supabase.com/docs/guides/database/webhooks). It has no position and no
 * time, so nothing tells two changes of a row apart.
 * @throws {InvalidMessageError} if it is no such payload
 */
export function rowChangeOf(value: unknown): RowChange {
  const parsed = payload.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InvalidMessageError(z.core.toDotPath(issue?.path ?? []), issue?.message ?? "is invalid");
  }
  const { data } = parsed;
  const old = data.type === "UPDATE" ? data.old_record : {};
  const record = data.type === "DELETE" ? data.old_record : data.record;
  return {
    table: { schema: data.schema, name: data.table },
    action: data.type === "INSERT" ? "insert" : data.type === "UPDATE" ? "update" : "delete",
    record,
    primaryKeys: [],
    old,
    changed: data.type === "UPDATE" ? changedColumns(old, record) : undefined,
    commit: "unknown",
    index: 0,
    committedAt: null,
    position: undefined,
    id: undefined,
  };
}
