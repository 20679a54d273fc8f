import type { Database } from "../../drizzle/client.ts";
import { readDeletion, type UserDeletion } from "../../drizzle/queries/user-deletions.ts";
import { ForeignDeletionError, UnknownDeletionError } from "./errors.ts";

/** What a step's run works on. Rejects with UnknownDeletionError, or ForeignDeletionError when it is open elsewhere. */
export async function deletionOf(
  db: Database,
  { userId, environment }: { userId: string; environment: string },
): Promise<UserDeletion> {
  const deletion = await readDeletion(db, userId);
  if (!deletion) throw new UnknownDeletionError(userId);
  if (!deletion.completedAt && deletion.environment !== environment)
    throw new ForeignDeletionError(userId, deletion.environment ?? "no run");
  return deletion;
}
