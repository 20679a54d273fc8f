import { randomUUID } from "node:crypto";
import { type Recorded, recorded, withMetadata } from "../../fixtures/recorded.ts";

type Changes = { id?: string; email?: string | null; action?: string; metadata?: Record<string, unknown> };

let commits = 0;

/** A recorded delete of a user (replica identity full), about another user and in another commit. */
export function deletedUser({
  id = randomUUID(),
  email = `${id}@example.com`,
  action = "delete",
  metadata,
}: Changes = {}) {
  commits += 1;
  const commit_lsn = 30_000_000 + commits;
  const message = withMetadata(recorded("16_users_full_delete"), {
    table_name: "users",
    record_pks: [id],
    commit_lsn,
    idempotency_key: Buffer.from(`${commit_lsn}:0`).toString("base64"),
    ...metadata,
  });
  const changed: Recorded = { ...message, action, record: { ...message.record, id, email } };
  return { id, email, message: changed };
}
