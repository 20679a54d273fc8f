import type { z } from "zod";
import type { EmbedRequest, Provider, ProviderLimits, ProviderOptions } from "../declare/provider.ts";
import { post } from "./client.ts";

// For tokenizers other than OpenAI's, which count more tokens in most languages.
const OTHER_TOKENIZER = 1.25;
const TIMEOUT_MS = 60_000;

type Given = Pick<Provider, "name" | "variables" | "address" | "defaultModel" | "models" | "embed"> & {
  limits: ProviderLimits;
};

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
  requestOf: (request: EmbedRequest) => { path: string; headers: Record<string, string>; body: object };
  /** Reads vectors in the order of the texts, and what was charged for. */
  response: z.ZodType<{ vectors: Float32Array[]; tokens?: number | undefined }>;
};

/** A provider with its own API, at one URL. */
export function makeProviderAt(
  { baseURL: usual, requestOf, response, ...given }: AtUrl,
  options: ProviderOptions & { baseURL?: string },
): Provider {
  const { baseURL = usual } = options;
  const embed: Provider["embed"] = async (request) => {
    const name = `${request.model} of ${given.name}`;
    const { timeoutMs } = request;
    const { answer } = await post({ ...requestOf(request), baseURL, timeoutMs, name, schema: response });
    return { vectors: answer.vectors, tokens: answer.tokens ?? Number.NaN, left: {} };
  };
  return makeProvider({ ...given, address: () => baseURL, embed }, options);
}
