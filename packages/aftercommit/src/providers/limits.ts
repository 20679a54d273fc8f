import type { Limits, Provider, ProviderLimits } from "../declare/provider.ts";
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

export function searchLimitsOf(provider: Provider): Limits {
  const { tokensPerMinute, requestsPerMinute } = limitsOf(provider);
  // A search is one request with one input.
  return {
    tokensPerMinute: tokensPerMinute * SEARCH_SHARE,
    requestsPerMinute: requestsPerMinute * SEARCH_SHARE,
  };
}

/** The most tokens that all models together may use in a UTC day, search included; undefined if unlimited. */
export function tokensPerDay(): number | undefined {
  const tokens = optional("EMBEDDING_TOKENS_PER_DAY");
  return tokens === undefined ? undefined : Number(tokens);
}
