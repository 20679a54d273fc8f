import type { SequinMessage } from "../sequin/message.ts";

// As many rows of one commit are edits that somebody made together; more are a script's or an import's.
const MOST_OF_A_COMMIT = 10;

/**
 * Tells edits from bulk changes by their commit, whatever deliveries it comes in: a commit of many rows is not an edit,
 * and an edit that shares a delivery with the tail of an import is one. A `read` is a backfill's.
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
