import { countTokens as count } from "gpt-tokenizer/encoding/cl100k_base";
import type { Provider } from "../declare/provider.ts";

export type CountTokens = (text: string) => number;

export const countTokens: CountTokens = (text) => count(text, { disallowedSpecial: new Set() });

/** Counts tokens as a provider's models do: with its own counter, or with an estimate that is rather too high. */
export const tokenCounterOf = ({ countTokens: exact, tokenMargin }: Provider): CountTokens =>
  exact ?? (tokenMargin === 1 ? countTokens : (text) => Math.ceil(countTokens(text) * tokenMargin));
