import { randomUUID } from "node:crypto";
import { InvalidMessageError } from "../errors.ts";
import { changeKey } from "../sequin/change-key.ts";
import type { SequinMessage } from "../sequin/message.ts";
import { primaryKey } from "../sequin/primary-key.ts";
import type { EmbeddedSource } from "./embedded-source.ts";
import { keyProblem } from "./key-problem.ts";
import type { Asked } from "./lanes.ts";
import { touchesText } from "./touches-text.ts";

/** What a message asks for: a row to embed and when it changed; or nothing, with the reason if that is worth a look. */
export type AskedRow = Asked & { changedAt: string | null };

/**
 * The key of the row that a message is about.
 * @throws {InvalidMessageError} when the message has none, or one that is none of the table's
 */
export function rowIdOf(message: SequinMessage, { of }: EmbeddedSource): string {
  const { at, text } = primaryKey(message);
  const problem = keyProblem(text, of.idTypeName);
  if (problem) throw new InvalidMessageError(at, problem);
  return text;
}

/**
 * What a message of a table's sink asks for; undefined when the message is not about that table. A row that was deleted
 * needs no run, as its embeddings went with it, and neither does an update that left the text as it was.
 * @throws {InvalidMessageError} when the message is about the table and does not say which row
 */
export function askedRow(message: SequinMessage, source: EmbeddedSource): AskedRow | "nothing" | undefined {
  const { table_schema = "public", table_name = source.of.name, commit_timestamp } = message.metadata;
  if (table_schema !== "public" || table_name !== source.of.name) return undefined;
  if (message.action === "delete") return undefined;
  const id = rowIdOf(message, source);
  if (!touchesText(message)) return "nothing";
  return {
    id,
    key: changeKey(message) ?? randomUUID(),
    read: message.action === "read",
    changedAt: commit_timestamp ?? null,
  };
}
