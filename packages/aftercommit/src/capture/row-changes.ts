import type { Pgoutput } from "pg-logical-replication";
import type { RowChange } from "../changes/row-change.ts";

/** A transaction that is being read. */
export type Transaction = { lsn: bigint; committedAt: string };

/** `0/16B3748` as a number. */
export function lsnOf(text: string): bigint {
  const [high = "0", low = "0"] = text.split("/");
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export const lsnText = (lsn: bigint): string =>
  `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase();

/** Microseconds since 1970 in Sequin's form, `2026-02-03T04:05:06.789012Z`. */
function timeOf(microseconds: bigint): string {
  const seconds = new Date(Number(microseconds / 1_000_000n) * 1_000).toISOString().slice(0, 19);
  return `${seconds}.${String(microseconds % 1_000_000n).padStart(6, "0")}Z`;
}

export const transactionOf = ({ commitLsn, commitTime }: Pgoutput.MessageBegin): Transaction => ({
  lsn: lsnOf(commitLsn ?? "0/0"),
  committedAt: timeOf(BigInt(String(commitTime))),
});

type Message = Pgoutput.MessageInsert | Pgoutput.MessageUpdate | Pgoutput.MessageDelete;

/** The columns after the change, or before a delete: without old values, all but the key are null. */
function recordOf(message: Message): Record<string, unknown> {
  if (message.tag !== "delete") return message.new;
  if (message.old) return message.old;
  const nulls = Object.fromEntries(message.relation.columns.map(({ name }) => [name, null]));
  return { ...nulls, ...message.key };
}

/** Every changed column, where the old row is known. */
function changedBy(message: Message): string[] | undefined {
  if (message.tag !== "update" || !message.old) return undefined;
  const { old } = message;
  return Object.keys(message.new).filter((column) => message.new[column] !== old[column]);
}

/** The change that a message of pgoutput is about. `index` counts the messages of the transaction, as Sequin does. */
export function rowChangeOf(message: Message, { lsn, committedAt }: Transaction, index: number): RowChange {
  const { schema, name } = message.relation;
  const position = `${lsn}:${index}:${committedAt}`;
  return {
    table: { schema, name },
    action: message.tag,
    record: recordOf(message),
    primaryKeys: [],
    old: message.tag === "update" ? (message.old ?? message.key ?? {}) : {},
    changed: changedBy(message),
    commit: String(lsn),
    index,
    committedAt,
    position,
    id: `capture:${position}`,
  };
}
