import * as z from "zod";
import { changedColumns } from "../changes/changed-columns.ts";
import type { RowChange } from "../changes/row-change.ts";
import { InvalidMessageError } from "../errors.ts";

const UNAVAILABLE = "__debezium_unavailable_value";
const ACTIONS = { c: "insert", u: "update", d: "delete", r: "read" } as const;

const columns = z.record(z.string(), z.unknown()).nullish();
// Numbers beyond 2^53 are texts here.
const number = z.union([z.number(), z.string()]).nullish();
const envelope = z.looseObject({
  op: z.enum(["c", "u", "d", "r", "t", "m"]),
  before: columns,
  after: columns,
  source: z.looseObject({
    schema: z.string().optional(),
    table: z.string().optional(),
    lsn: number,
    sequence: z.string().nullish(),
    txId: number,
    ts_ms: z.number().nullish(),
  }),
});
// With debezium.format.value.json.schemas.enable, the default.
const withSchema = z.looseObject({ schema: z.unknown(), payload: z.unknown() });

/** A large value that an update left alone is not sent, but the placeholder. */
const known = (record: RowChange["record"], old: RowChange["record"]) =>
  Object.fromEntries(
    Object.entries(record).map(([column, value]) => [
      column,
      value === UNAVAILABLE ? (old[column] ?? null) : value,
    ]),
  );

const payloadOf = (value: unknown) => {
  const wrapped = withSchema.safeParse(value);
  return envelope.safeParse(wrapped.success ? wrapped.data.payload : value);
};

/** The place of an insert in the log; undefined if the event is none. */
export function insertedAt(value: unknown): string | undefined {
  const { data } = payloadOf(value);
  return data?.op === "c" && data.source.lsn != null ? String(data.source.lsn) : undefined;
}

/**
 * The change of an event of Debezium's PostgreSQL connector (debezium.io, "Data change events"). Undefined for a
 * truncation or a logical message, which are about no row. `hasMoved` tells for which event in the log a delete is
 * half of a change of the key: the row is not deleted.
 * @throws {InvalidMessageError} if it is no such event
 */
export function rowChangeOf(value: unknown, hasMoved: (lsn: string) => boolean): RowChange | undefined {
  const parsed = payloadOf(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InvalidMessageError(z.core.toDotPath(issue?.path ?? []), issue?.message ?? "is invalid");
  }
  const { op, before, after, source } = parsed.data;
  if (op === "t" || op === "m") return undefined;
  const action = ACTIONS[op];
  const old = action === "update" ? (before ?? {}) : {};
  const row = action === "delete" ? before : after;
  if (!row) throw new InvalidMessageError(action === "delete" ? "before" : "after", "must be the row");
  const record = known(row, old);
  const { schema = "public", table: name } = source;
  const time = source.ts_ms == null || action === "read" ? null : new Date(source.ts_ms).toISOString();
  // Each change has its own place in the log.
  const position = source.lsn == null ? undefined : `${source.lsn}:${time}`;
  return {
    table: name === undefined ? undefined : { schema, name },
    action: action === "delete" && hasMoved(String(source.lsn)) ? "update" : action,
    record,
    primaryKeys: [],
    old,
    changed: op === "u" ? changedColumns(old, record) : undefined,
    commit: String(source.txId ?? source.lsn ?? "unknown"),
    index: 0,
    committedAt: time,
    position,
    id: position && `debezium:${name}:${position}`,
  };
}
