import type { SequinMessage } from "../sequin/message.ts";

// Up to this many rows of one commit are edits that someone made together; more come from a script or an import.
const MOST_OF_A_COMMIT = 10;

/**
 * Tells edits from bulk changes by their commit, whatever deliveries it arrives in: a commit of many rows is not an
 * edit, but an edit that shares a delivery with the end of an import is. A `read` belongs to a backfill.
 */
export function isEdit(messages: readonly SequinMessage[]): (message: SequinMessage) => boolean {
  const commitOf = ({ metadata }: SequinMessage) =>
    metadata.commit_lsn ?? metadata.commit_timestamp ?? "unknown";
  const sizes = new Map<string | number, number>();
  for (const message of messages) sizes.set(commitOf(message), (sizes.get(commitOf(message)) ?? 0) + 1);
  return (message) =>
    message.action !== "read" &&
    (message.metadata.commit_idx ?? 0) < MOST_OF_A_COMMIT &&
    (sizes.get(commitOf(message)) ?? 0) <= MOST_OF_A_COMMIT;
}
