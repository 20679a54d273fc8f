import type { SequinMessage } from "./message.ts";

/**
 * The same text for every delivery of one change to one consumer, or undefined if the message has nothing that
 * distinguishes changes. Sequin's own key does not contain the sink, so the consumer's id scopes it. Never derived from
 * the body: a redelivery after Sequin's restart may have other bytes.
 */
export function changeKey({ action, metadata }: SequinMessage): string | undefined {
  const consumer = metadata.consumer?.id ?? "";
  if (metadata.idempotency_key) return `sequin:${consumer}:${metadata.idempotency_key}`;
  if (metadata.commit_lsn != null && metadata.commit_idx != null)
    return `sequin:${consumer}:${metadata.commit_lsn}:${metadata.commit_idx}`;
  if (metadata.commit_timestamp && metadata.record_pks?.length) {
    const row = [metadata.table_schema, metadata.table_name, ...metadata.record_pks].join(":");
    return `sequin:${consumer}:${row}:${metadata.commit_timestamp}:${action ?? "row"}`;
  }
  return undefined;
}
