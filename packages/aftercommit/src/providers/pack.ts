// OpenAI takes 2,048 inputs and 300,000 tokens a request, and counts tokens itself: stay a little below.
export const MAX_INPUTS = 2_048;
export const MAX_TOKENS = 285_000;

/**
 * Packs inputs, in order, into as few requests as the provider's limits allow. No request is larger than half a
 * minute's tokens, so that a small budget is spent evenly.
 */
export function pack<T extends { tokens: number }>(inputs: readonly T[], tokensPerMinute: number): T[][] {
  const most = Math.min(MAX_TOKENS, tokensPerMinute / 2);
  const requests: T[][] = [];
  let tokens = 0;
  for (const input of inputs) {
    const open = requests.at(-1);
    if (!open || open.length === MAX_INPUTS || tokens + input.tokens > most) {
      requests.push([input]);
      tokens = input.tokens;
    } else {
      open.push(input);
      tokens += input.tokens;
    }
  }
  return requests;
}
