import type { ProviderLimits } from "../declare/provider.ts";

/**
 * Packs inputs, in order, into as few requests as the provider's limits allow. No request uses more than half of a
 * minute's tokens or inputs, so that a small limit is spent evenly.
 */
export function pack<T extends { tokens: number }>(inputs: readonly T[], limits: ProviderLimits): T[][] {
  const {
    tokensPerMinute,
    tokensPerRequest,
    inputsPerMinute = Number.POSITIVE_INFINITY,
    inputsPerRequest,
  } = limits;
  const mostTokens = Math.min(tokensPerRequest, tokensPerMinute / 2);
  const mostInputs = Math.min(inputsPerRequest, inputsPerMinute / 2);
  const requests: T[][] = [];
  let tokens = 0;
  for (const input of inputs) {
    const open = requests.at(-1);
    if (!open || open.length + 1 > mostInputs || tokens + input.tokens > mostTokens) {
      requests.push([input]);
      tokens = input.tokens;
    } else {
      open.push(input);
      tokens += input.tokens;
    }
  }
  return requests;
}
