import type { Provider, ProviderLimits } from "../declare/provider.ts";
import { optional } from "../env/env.ts";

/** The provider's limits, unless EMBEDDING_TOKENS_PER_MINUTE or EMBEDDING_REQUESTS_PER_MINUTE overrides them. */
export function limitsOf({ limits }: Provider): ProviderLimits {
  const tokens = optional("EMBEDDING_TOKENS_PER_MINUTE");
  const requests = optional("EMBEDDING_REQUESTS_PER_MINUTE");
  return {
    ...limits,
    ...(tokens && { tokensPerMinute: Number(tokens) }),
    ...(requests && { requestsPerMinute: Number(requests) }),
  };
}

/** The part of the limits, and of a day's tokens, that searches may use. The rest is for rows. */
export const SEARCH_SHARE = 0.5;
