import type { SequinMessage } from "./message.ts";

const MAX_PAYLOAD_CHARS = 64 * 1024;
const MAX_VALUE_CHARS = 1024;

/**
 * Drops old values, long columns, annotations and enrichment of a message that would be too large to trigger with: a Sequin message may
 * have 5 MB, Trigger.dev takes 3 MB and puts what is over 512 KB into object storage, which a self-hosted server
 * may not have. Tasks read the row itself, so nothing is lost.
 */
export function shrinkMessage(message: SequinMessage): SequinMessage {
  if (JSON.stringify(message).length <= MAX_PAYLOAD_CHARS) return message;
  const short = Object.entries(message.record).filter(
    ([, value]) => (JSON.stringify(value) ?? "").length <= MAX_VALUE_CHARS,
  );
  const metadata = { ...message.metadata, transaction_annotations: null, enrichment: null };
  return { ...message, record: Object.fromEntries(short), changes: null, metadata };
}
