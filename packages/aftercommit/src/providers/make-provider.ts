import type { Provider, ProviderLimits, ProviderOptions } from "./provider.ts";

// Of other tokenizers than OpenAI's, which count more tokens in most languages.
const OTHER_TOKENIZER = 1.25;

type Given = Pick<Provider, "name" | "address" | "defaultModel" | "models" | "embed"> & {
  limits: ProviderLimits;
};

/** A provider with what it is known for, and what a person changes of it. */
export const makeProvider = (
  given: Given,
  { limits, prefixes, countTokens }: ProviderOptions,
  tokenMargin = OTHER_TOKENIZER,
): Provider => ({
  kind: "provider",
  ...given,
  limits: { ...given.limits, ...limits },
  prefixes: { passage: "", query: "", ...prefixes },
  ...(countTokens && { countTokens }),
  tokenMargin,
});
