import { InvalidMessageError } from "../errors.ts";
import type { SequinMessage } from "./message.ts";

/**
 * The text of a single-column primary key `id`. `metadata.record_pks` has it exactly; a JSON number does not
 * above 2^53.
 * @throws {InvalidMessageError} when neither place has it
 */
export function primaryKey({ record, metadata }: SequinMessage): { at: string; text: string } {
  const [key, ...others] = metadata.record_pks ?? [];
  if (key !== undefined && others.length === 0) return { at: "metadata.record_pks[0]", text: key };
  const { id } = record;
  if (typeof id === "string") return { at: "record.id", text: id };
  if (typeof id === "number" && Number.isSafeInteger(id)) return { at: "record.id", text: String(id) };
  if (typeof id === "number")
    throw new InvalidMessageError("record.id", "is not an exact integer, and metadata.record_pks is missing");
  throw new InvalidMessageError("record.id", "must be the row's primary key");
}
