import type { Provider, ProviderOptions } from "../declare/provider.ts";
import { optional, required } from "../env/env.ts";
import { makeProvider } from "./make-provider.ts";
import { openaiForm } from "./openai-form.ts";

// https://platform.openai.com/docs/pricing
const MODELS = {
  "text-embedding-3-small": { dimensions: 1_536, price: 0.02 },
  "text-embedding-3-large": { dimensions: 3_072, price: 0.13 },
  "text-embedding-ada-002": { dimensions: 1_536, price: 0.1 },
};

// Tier 1, and the limits of a request: https://platform.openai.com/docs/api-reference/embeddings/create. OpenAI counts
// the tokens itself, so this stays a little below its 300,000.
export const OPENAI_LIMITS = {
  tokensPerMinute: 1_000_000,
  requestsPerMinute: 3_000,
  inputsPerRequest: 2_048,
  tokensPerRequest: 285_000,
  tokensPerInput: 8_191,
};

const baseURL = () => optional("OPENAI_BASE_URL") ?? "https://api.openai.com/v1";

/**
 * OpenAI, or the OpenAI-compatible server at OPENAI_BASE_URL, with OPENAI_API_KEY. The default of a declaration without
 * `providers`.
 *
 * @example
 * defineEmbedding({ …, providers: [openai({ limits: { tokensPerMinute: 5_000_000 } })] });
 */
export function openai(options: ProviderOptions = {}): Provider {
  const given = {
    name: "openai",
    variables: ["OPENAI_API_KEY"],
    address: baseURL,
    limits: OPENAI_LIMITS,
    defaultModel: "text-embedding-3-small",
    models: MODELS,
    embed: openaiForm(() => ({
      name: "openai",
      baseURL: baseURL(),
      headers: { authorization: `Bearer ${required("OPENAI_API_KEY")}` },
    })),
  };
  return makeProvider(given, options, 1);
}
