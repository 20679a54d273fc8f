import type { Answer, EmbedRequest, Provider, ProviderLimits, ProviderOptions } from "../declare/provider.ts";

// Of other tokenizers than OpenAI's, which count more tokens in most languages.
const OTHER_TOKENIZER = 1.25;
const TIMEOUT_MS = 60_000;

type Given = Pick<Provider, "name" | "address" | "defaultModel" | "models" | "embed"> & {
  limits: ProviderLimits;
};

/** A provider with what it is known for, and what a person changes of it. */
export const makeProvider = (
  given: Given,
  { limits, prefixes, timeoutMs = TIMEOUT_MS, countTokens }: ProviderOptions,
  tokenMargin = OTHER_TOKENIZER,
): Provider => ({
  kind: "provider",
  ...given,
  limits: { ...given.limits, ...limits },
  prefixes: { passage: "", query: "", ...prefixes },
  timeoutMs,
  ...(countTokens && { countTokens }),
  tokenMargin,
});

type AtUrl = Omit<Given, "address" | "embed"> & {
  /** Where it answers, unless a person names another place. */
  baseURL: string;
  embed: (baseURL: string, request: EmbedRequest) => Promise<Answer>;
};

/** A provider with an API of its own, at one URL. */
export function makeProviderAt(
  { baseURL: usual, embed, ...given }: AtUrl,
  options: ProviderOptions & { baseURL?: string },
): Provider {
  const { baseURL = usual } = options;
  return makeProvider(
    { ...given, address: () => baseURL, embed: (request) => embed(baseURL, request) },
    options,
  );
}
