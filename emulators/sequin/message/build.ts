import type { Change } from "../capture/change.ts";
import type { Sink } from "../config/load.ts";
import { type CastOptions, cast } from "./cast.ts";
import { type Json, RawJson } from "./json.ts";
import { followPath } from "./path.ts";
import { type Field, primaryKey, readRow, UNCHANGED_TOAST } from "./row.ts";
import type { TypeCatalog } from "./types.ts";

/** The source and destination of a message: the two objects that every message of a sink repeats. */
export type Origin = {
  consumer: { id: string; name: string; annotations: Json };
  database: { id: string; name: string; annotations: Json; database: string; hostname: string };
};

/** The message as the sink sends it: lib/sequin/transforms/message.ex, lib/sequin/consumers/consumers.ex. */
export function buildMessage(change: Change, sink: Sink, origin: Origin, types: TypeCatalog): Json {
  const row = readRow(change);
  const options: Omit<CastOptions, "modifier"> = {
    from: change.action === "read" ? "read" : "stream",
    timestamps: sink.timestampFormat,
  };
  const toObject = (fields: Field[]): Json =>
    Object.fromEntries(
      fields.map(({ column, text }) => [
        column.name,
        text === UNCHANGED_TOAST
          ? text
          : cast(types.get(column.type), text, { ...options, modifier: column.modifier }),
      ]),
    );
  const keys = primaryKey(row);
  const message: Json = {
    record: toObject(row.fields),
    changes: change.action === "update" ? toObject(row.replaced) : null,
    action: change.action,
    metadata: {
      table_schema: change.table_schema,
      table_name: change.table_name,
      commit_timestamp: change.committed_at,
      commit_lsn: change.commit_lsn === null ? null : new RawJson(change.commit_lsn),
      commit_idx: change.commit_idx,
      idempotency_key: idempotencyKey(change, keys),
      record_pks: keys,
      database_name: origin.database.name,
      transaction_annotations: null,
      enrichment: null,
      consumer: origin.consumer,
      database: origin.database,
    },
  };
  return sink.transformPath === null ? message : followPath(message, sink.transformPath);
}

function idempotencyKey(change: Change, keys: string[]): string {
  const plain =
    change.backfill_id === null
      ? `${change.commit_lsn}:${change.commit_idx}`
      : [change.backfill_id, ...keys].join(":");
  return Buffer.from(plain).toString("base64");
}
