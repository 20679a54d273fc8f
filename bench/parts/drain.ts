import { MODEL } from "./product-database.ts";
import type { Provider, Tier } from "./provider.ts";
import type { FreshDatabase } from "./server.ts";

/**
 * Takes away the tokens that a minute starts with, the provider's and those of the shared budget, as they are gone in
 * the middle of a long backfill: what is measured is then what a tier lets through, not what it starts with.
 */
export async function drain(
  provider: Provider,
  { client }: FreshDatabase,
  { requestsPerMinute }: Tier,
): Promise<void> {
  await provider.drain();
  await client.query(
    `insert into embedding_budget (model, tokens, requests) values ($1, 0, $2)
     on conflict (model) do update set tokens = 0, requests = excluded.requests, blocked_until = null, updated_at = now()`,
    [MODEL, requestsPerMinute],
  );
}
