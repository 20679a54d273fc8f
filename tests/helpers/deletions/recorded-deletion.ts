import { randomUUID } from "node:crypto";
import type { Database } from "../../../packages/aftercommit/src/db/client.ts";
import { recordDeletions, takeDeletion } from "../../../packages/aftercommit/src/deletions/ledger.ts";
import { parseWebhooks } from "../../../packages/aftercommit/src/env/webhook-list.ts";

export const ENVIRONMENT = "proj_tests/env_tests";

type Recording = {
  email?: string | null;
  systems?: string[];
  userId?: string;
  position?: string;
  source?: string;
};

/** The id of a deletion as the route records it. */
export async function recordedDeletion(
  db: Database,
  {
    email = null,
    systems = [],
    userId = randomUUID(),
    position = randomUUID(),
    source = "user",
  }: Recording = {},
): Promise<string> {
  const decided = { source, requiredSystems: systems };
  const [deletion] = await recordDeletions(db, decided, [{ rowId: userId, position, email }]);
  if (!deletion) throw new Error("The deletion was not recorded");
  return deletion.id;
}

/** A deletion as the route records it, leased by a run of {@link ENVIRONMENT}. */
export async function leasedDeletion(
  db: Database,
  {
    runId = "run_1",
    environment = ENVIRONMENT,
    ...recording
  }: Recording & { runId?: string; environment?: string } = {},
): Promise<string> {
  const id = await recordedDeletion(db, recording);
  await takeDeletion(db, id, { from: null, to: runId, environment });
  return id;
}

/** The name of a webhook in the ledger. */
export const systemAt = (url: string) => parseWebhooks(url).targets[0]?.name ?? "";
