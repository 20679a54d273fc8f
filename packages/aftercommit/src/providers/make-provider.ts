import type { Answer, EmbedRequest, Provider, ProviderLimits, ProviderOptions } from "../declare/provider.ts";

// For tokenizers other than OpenAI's, which count more tokens in most languages.
const OTHER_TOKENIZER = 1.25;
const TIMEOUT_MS = 60_000;

type Given = Pick<Provider, "name" | "variables" | "address" | "defaultModel" | "models" | "embed"> & {
  limits: ProviderLimits;
};

/** A provider with its known properties, and a person's options. */
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
  /** The default address. */
  baseURL: string;
  embed: (baseURL: string, request: EmbedRequest) => Promise<Answer>;
};

/** A provider with its own API, at one URL. */
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
