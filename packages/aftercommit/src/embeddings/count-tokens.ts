import { countTokens as count } from "gpt-tokenizer/encoding/cl100k_base";
import type { Provider } from "../declare/provider.ts";

export type CountTokens = (text: string) => number;

export const countTokens: CountTokens = (text) => count(text, { disallowedSpecial: new Set() });

/**
 * Counts tokens as a provider's models do: with its own counter, which may itself estimate, or with an estimate that is
 * rather too high. Always a whole number, as it is stored.
 */
export const tokenCounterOf = ({ countTokens: exact, tokenMargin }: Provider): CountTokens => {
  if (exact) return (text) => Math.ceil(exact(text));
  return tokenMargin === 1 ? countTokens : (text) => Math.ceil(countTokens(text) * tokenMargin);
};
