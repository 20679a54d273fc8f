import type { Provider, ProviderLimits } from "../declare/provider.ts";
import { optional } from "../env/env.ts";

/** What a provider allows, unless EMBEDDING_TOKENS_PER_MINUTE or EMBEDDING_REQUESTS_PER_MINUTE says otherwise. */
export function limitsOf({ limits }: Provider): ProviderLimits {
  const tokens = optional("EMBEDDING_TOKENS_PER_MINUTE");
  const requests = optional("EMBEDDING_REQUESTS_PER_MINUTE");
  return {
    ...limits,
    ...(tokens && { tokensPerMinute: Number(tokens) }),
    ...(requests && { requestsPerMinute: Number(requests) }),
  };
}

/** How many tokens all models together may use in a UTC day, search included; undefined for as many as they need. */
export function tokensPerDay(): number | undefined {
  const tokens = optional("EMBEDDING_TOKENS_PER_DAY");
  return tokens === undefined ? undefined : Number(tokens);
}
