import { RESERVE } from "../../drizzle/queries/embeddings/budget.ts";
import { MODEL } from "./product-database.ts";
import type { Provider, Tier } from "./provider.ts";
import type { FreshDatabase } from "./server.ts";

/**
 * Takes away the tokens that a minute starts with, the provider's and those of the shared budget, but for the reserve
 * that a backfill leaves to edits: so they are in the middle of a long one, and what is measured is what a tier lets
 * through, not what it starts with.
 */
export async function drain(
  provider: Provider,
  { client }: FreshDatabase,
  { tokensPerMinute, requestsPerMinute }: Tier,
): Promise<void> {
  const tokens = tokensPerMinute * RESERVE;
  await provider.leaveTokens(tokens);
  await client.query(
    `insert into embedding_budget (model, tokens, requests) values ($1, $2, $3)
     on conflict (model) do update set tokens = excluded.tokens, requests = excluded.requests, blocked_until = null, updated_at = now()`,
    [MODEL, tokens, requestsPerMinute],
  );
}
