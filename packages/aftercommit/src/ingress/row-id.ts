import * as z from "zod";
import type { RowChange } from "../changes/row-change.ts";
import { InvalidMessageError } from "../errors.ts";
import type { KeyType } from "../source.ts";

const RANGE: Partial<Record<KeyType, bigint>> = {
  smallint: 2n ** 15n,
  integer: 2n ** 31n,
  bigint: 2n ** 63n,
};
const MOST_CHARS = 500;

/**
 * A key as Postgres prints it, so that every delivery names a row the same way: `017` is `17`, and a uuid is lowercase.
 * @throws {InvalidMessageError} if the text is not a key of the type; `at` is its place in the message
 */
export function canonicalKey(text: string, keyType: KeyType, at = ""): string {
  const range = RANGE[keyType];
  if (range !== undefined) {
    if (!/^-?\d{1,19}$/.test(text)) throw new InvalidMessageError(at, `must be a ${keyType}`);
    const id = BigInt(text);
    if (id >= range || id < -range) throw new InvalidMessageError(at, `is out of ${keyType}'s range`);
    return id.toString();
  }
  if (keyType === "uuid") {
    if (!z.guid().safeParse(text).success) throw new InvalidMessageError(at, "must be a uuid");
    return text.toLowerCase();
  }
  if (text.length > MOST_CHARS) throw new InvalidMessageError(at, `is longer than ${MOST_CHARS} characters`);
  // Postgres accepts no NUL and no half of a surrogate pair, and would fail the whole delivery.
  if (text.includes("\0") || !text.isWellFormed())
    throw new InvalidMessageError(at, "is not a text of Postgres");
  return text;
}

/**
 * A value of a key column as text; undefined if it is neither a text nor an integer. If something rounded a large number
 * on its way, the primary key's texts still have its digits.
 */
function exactText(value: unknown, primaryKeys: readonly string[]): string | undefined {
  if (Number.isSafeInteger(value)) return String(value);
  if (typeof value !== "string") return undefined;
  if (!/^-?\d{16,19}$/.test(value) || primaryKeys.includes(value)) return value;
  return primaryKeys.find((key) => Number(key) === Number(value)) ?? value;
}

/**
 * The key of the row that a change is about: from the declared column, or the primary key if the column was left out.
 * @throws {InvalidMessageError} if the change names no row, or an impossible one
 */
export function rowIdOf({ record, primaryKeys }: RowChange, column: string, keyType: KeyType): string {
  const at = `record.${column}`;
  if (!(column in record)) {
    const [only, ...others] = primaryKeys;
    if (only === undefined || others.length > 0) throw new InvalidMessageError(at, "must be the row's key");
    return canonicalKey(only, keyType, "metadata.record_pks[0]");
  }
  const text = exactText(record[column], primaryKeys);
  if (text === undefined) throw new InvalidMessageError(at, "must be the row's key");
  return canonicalKey(text, keyType, at);
}

/** The key before an update; undefined if the source does not say. */
export function replacedKeyOf({ old }: RowChange, column: string, keyType: KeyType): string | undefined {
  const text = exactText(old[column], []);
  return text === undefined ? undefined : canonicalKey(text, keyType, `changes.${column}`);
}
