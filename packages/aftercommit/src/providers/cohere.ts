import * as z from "zod";
import type { EmbedRequest, Provider, ProviderOptions } from "../declare/provider.ts";
import { required } from "../env/env.ts";
import { makeProviderAt } from "./make-provider.ts";
import { numberList } from "./numbers.ts";

// https://docs.cohere.com/docs/cohere-embed and https://cohere.com/pricing
const MODELS = {
  "embed-v4.0": { dimensions: 1_536, price: 0.12 },
  "embed-english-v3.0": { dimensions: 1_024, price: 0.1 },
  "embed-multilingual-v3.0": { dimensions: 1_024, price: 0.1 },
};

// Inputs per minute: https://docs.cohere.com/docs/rate-limits; per request: https://docs.cohere.com/reference/embed.
const LIMITS = {
  tokensPerMinute: 10_000_000,
  requestsPerMinute: 2_000,
  inputsPerMinute: 2_000,
  inputsPerRequest: 96,
  tokensPerRequest: 128_000,
  tokensPerInput: 128_000,
};

// In the order of the texts: https://docs.cohere.com/reference/embed.
const response = z
  .object({
    embeddings: z.object({ float: z.array(numberList) }),
    meta: z
      .object({ billed_units: z.object({ input_tokens: z.number().optional() }).optional() })
      .optional()
      .catch(undefined),
  })
  .transform(({ embeddings, meta }) => {
    return { vectors: embeddings.float, tokens: meta?.billed_units?.input_tokens };
  });

const requestOf = ({ model, dimensions, texts, purpose }: EmbedRequest) => ({
  path: "/embed",
  headers: { authorization: `Bearer ${required("COHERE_API_KEY")}` },
  body: {
    model,
    texts,
    input_type: purpose === "query" ? "search_query" : "search_document",
    embedding_types: ["float"],
    truncate: "NONE",
    ...(dimensions !== undefined && { output_dimension: dimensions }),
  },
});

/**
 * Cohere, with COHERE_API_KEY. It limits texts per minute, and so does this.
 *
 * @example
 * defineEmbedding({ …, providers: [cohere()] });
 */
export const cohere = (options: ProviderOptions & { baseURL?: string } = {}): Provider =>
  makeProviderAt(
    {
      name: "cohere",
      variables: ["COHERE_API_KEY"],
      baseURL: "https://api.cohere.com/v2",
      limits: LIMITS,
      defaultModel: "embed-v4.0",
      models: MODELS,
      requestOf,
      response,
    },
    options,
  );
