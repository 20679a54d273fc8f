import { HEADROOM } from "../../packages/aftercommit/src/providers/rate-limiter.ts";
import { MODEL } from "./product-database.ts";
import type { Provider, Tier } from "./provider.ts";
import type { FreshDatabase } from "./server.ts";

/**
 * Uses up the tokens that a minute starts with, the provider's and those of the shared rate limiter, except the
 * headroom that a backfill leaves to edits. This is the state in the middle of a long backfill, so it measures what a
 * tier allows, not what it starts with.
 */
export async function exhaustLimits(
  provider: Provider,
  { client }: FreshDatabase,
  { tokensPerMinute, requestsPerMinute }: Tier,
): Promise<void> {
  const tokens = tokensPerMinute * HEADROOM;
  await provider.leaveTokens(tokens);
  await client.query(
    `insert into aftercommit.rate_limits (name, tokens, requests) values ($1, $2, $3)
     on conflict (name) do update set tokens = excluded.tokens, requests = excluded.requests, blocked_until = null, updated_at = now()`,
    [MODEL, tokens, requestsPerMinute],
  );
}
