import type { Provider, ProviderOptions } from "../declare/provider.ts";
import { required } from "../env/env.ts";
import { makeProvider } from "./make-provider.ts";
import { openaiForm } from "./openai-form.ts";

// https://docs.voyageai.com/docs/embeddings and https://docs.voyageai.com/docs/pricing
const MODELS = {
  "voyage-3.5": { dimensions: 1_024, price: 0.06 },
  "voyage-3.5-lite": { dimensions: 1_024, price: 0.02 },
  "voyage-3-large": { dimensions: 1_024, price: 0.18 },
  "voyage-code-3": { dimensions: 1_024, price: 0.18 },
};

// Tier 1 of the larger models (https://docs.voyageai.com/docs/rate-limits), and the lowest limits of a request of any
// model (https://docs.voyageai.com/reference/embeddings-api).
const LIMITS = {
  tokensPerMinute: 3_000_000,
  requestsPerMinute: 2_000,
  inputsPerRequest: 1_000,
  tokensPerRequest: 115_000,
  tokensPerInput: 32_000,
};

/**
 * Voyage AI, with VOYAGE_API_KEY. Passages and queries are embedded as such.
 *
 * @example
 * defineEmbedding({ …, providers: [voyage()] });
 */
export function voyage(options: ProviderOptions & { baseURL?: string } = {}): Provider {
  const { baseURL = "https://api.voyageai.com/v1" } = options;
  const given = {
    name: "voyage",
    variables: ["VOYAGE_API_KEY"],
    address: () => baseURL,
    limits: LIMITS,
    defaultModel: "voyage-3.5",
    models: MODELS,
    embed: openaiForm(
      () => ({
        name: "voyage",
        baseURL,
        headers: { authorization: `Bearer ${required("VOYAGE_API_KEY")}` },
      }),
      {
        widthName: "output_dimension",
        // A long input must be rejected, and is then split. Otherwise it would be silently truncated.
        extra: ({ purpose }) => ({
          input_type: purpose === "query" ? "query" : "document",
          truncation: false,
        }),
      },
    ),
  };
  return makeProvider(given, options);
}
