import * as z from "zod";
import type { EmbedRequest, Provider, ProviderOptions } from "../declare/provider.ts";
import { required } from "../env/env.ts";
import { makeProviderAt } from "./make-provider.ts";
import { numberList } from "./numbers.ts";

// https://ai.google.dev/gemini-api/docs/embeddings and https://ai.google.dev/gemini-api/docs/pricing
const MODELS = { "gemini-embedding-001": { dimensions: 3_072, price: 0.15 } };

// Tier 1 (https://ai.google.dev/gemini-api/docs/rate-limits). Each text of a batch counts as a request. A batch has at
// most 100: https://github.com/geldata/gel/issues/9032.
const LIMITS = {
  tokensPerMinute: 1_000_000,
  requestsPerMinute: 3_000,
  inputsPerMinute: 3_000,
  inputsPerRequest: 100,
  tokensPerRequest: 100_000,
  tokensPerInput: 2_048,
};

// In the order of the texts: https://ai.google.dev/api/embeddings#method:-models.batchembedcontents. Protobuf's JSON
// omits empty values.
const response = z
  .object({ embeddings: z.array(z.object({ values: numberList.default(new Float32Array()) })) })
  .transform(({ embeddings }) => ({ vectors: embeddings.map(({ values }) => values) }));

const requestOf = ({ model, dimensions, texts, purpose }: EmbedRequest) => ({
  path: `/models/${model}:batchEmbedContents`,
  headers: { "x-goog-api-key": required("GEMINI_API_KEY") },
  body: {
    requests: texts.map((text) => ({
      model: `models/${model}`,
      content: { parts: [{ text }] },
      taskType: purpose === "query" ? "RETRIEVAL_QUERY" : "RETRIEVAL_DOCUMENT",
      ...(dimensions !== undefined && { outputDimensionality: dimensions }),
    })),
  },
});

/**
 * Google's Gemini API, with GEMINI_API_KEY.
 *
 * @example
 * defineEmbedding({ …, providers: [gemini()] });
 */
export const gemini = (options: ProviderOptions & { baseURL?: string } = {}): Provider =>
  makeProviderAt(
    {
      name: "gemini",
      variables: ["GEMINI_API_KEY"],
      baseURL: "https://generativelanguage.googleapis.com/v1beta",
      limits: LIMITS,
      defaultModel: "gemini-embedding-001",
      models: MODELS,
      requestOf,
      response,
    },
    options,
  );
