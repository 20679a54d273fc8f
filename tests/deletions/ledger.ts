import { randomUUID } from "node:crypto";
import type { Database } from "../../drizzle/client.ts";
import { recordDeletion, takeDeletion } from "../../drizzle/queries/user-deletions.ts";
import { parseWebhooks } from "../../lib/deletions/webhook-list.ts";

export const ENVIRONMENT = "proj_tests/env_tests";

type Options = {
  email?: string | null;
  systems?: string[];
  runId?: string;
  userId?: string;
  environment?: string;
};

/** A deletion as the route records it, held by a run of {@link ENVIRONMENT}. */
export async function heldDeletion(
  db: Database,
  {
    email = null,
    systems = [],
    runId = "run_1",
    userId = randomUUID(),
    environment = ENVIRONMENT,
  }: Options = {},
): Promise<string> {
  await recordDeletion(db, { userId, email, requiredSystems: systems });
  await takeDeletion(db, userId, { from: null, to: runId, environment });
  return userId;
}

/** The name of a webhook in the ledger. */
export const systemAt = (url: string) => parseWebhooks(url).targets[0]?.name ?? "";
