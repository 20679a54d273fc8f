import { createHash } from "node:crypto";
import * as z from "zod";
import type { RowChange } from "../changes/row-change.ts";
import { InvalidMessageError } from "../errors.ts";
import { type SequinMessage, sequinMessageSchema } from "./message.ts";

const timestamp = z.iso.datetime({ offset: true }).max(40);

/**
 * The same text for every delivery of one change to one consumer, or undefined if the message has nothing that
 * distinguishes changes. Sequin's own key does not contain the sink, so the consumer's id scopes it. After a failover, a
 * new timeline uses the positions of the log again: the row and the time of the commit tell its changes apart. Never
 * derived from the record: a redelivery after Sequin's restart may have other bytes.
 */
function idOf({ action, metadata }: SequinMessage): string | undefined {
  const { consumer, idempotency_key, commit_lsn, commit_idx, commit_timestamp, record_pks } = metadata;
  const logged = commit_lsn == null || commit_idx == null ? undefined : `${commit_lsn}:${commit_idx}`;
  const position = idempotency_key || logged;
  if (position === undefined && !(commit_timestamp && record_pks?.length)) return undefined;
  const row = [metadata.table_schema, metadata.table_name, record_pks, commit_timestamp, action];
  const hash = createHash("sha256").update(JSON.stringify(row)).digest("base64url").slice(0, 22);
  return ["sequin", consumer?.id ?? "", position ?? "", hash].join(":");
}

/** The same for every delivery, whatever state Sequin is in. */
function positionOf({ metadata }: SequinMessage): string | undefined {
  const { commit_lsn, commit_idx, idempotency_key, commit_timestamp } = metadata;
  const change = commit_lsn == null || commit_idx == null ? idempotency_key : `${commit_lsn}:${commit_idx}`;
  return [change, commit_timestamp].filter((part) => typeof part === "string").join(":") || undefined;
}

/**
 * The change that an element of a delivery is about.
 * @throws {InvalidMessageError} if it is not a message of Sequin
 */
export function rowChangeOf(value: unknown): RowChange {
  const parsed = sequinMessageSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new InvalidMessageError(
      z.core.toDotPath(issue?.path ?? []),
      issue?.message ?? "is not a Sequin message",
    );
  }
  const { action = "row", record, changes, metadata } = parsed.data;
  const { table_schema: schema = "public", table_name: name } = metadata;
  // Empty under the default replica identity: what changed is unknown.
  const old = changes ?? {};
  const changed = Object.keys(old);
  return {
    table: name === undefined ? undefined : { schema, name },
    action,
    record,
    primaryKeys: metadata.record_pks ?? [],
    old,
    changed: changed.length > 0 ? changed : undefined,
    commit: String(metadata.commit_lsn ?? metadata.commit_timestamp ?? "unknown"),
    index: metadata.commit_idx ?? 0,
    committedAt: (action !== "read" && timestamp.safeParse(metadata.commit_timestamp).data) || null,
    position: positionOf(parsed.data),
    id: idOf(parsed.data),
  };
}
