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
