import * as z from "zod";
import type { EmbedRequest, Provider, ProviderOptions } from "../declare/provider.ts";
import { makeProviderAt } from "./make-provider.ts";
import { numberList } from "./numbers.ts";

// https://ollama.com/library/nomic-embed-text
const MODELS = { "nomic-embed-text": { dimensions: 768 }, "mxbai-embed-large": { dimensions: 1_024 } };

// Your own machine has no rate limits, only its speed: small requests, so that an edit does not wait for long.
const LIMITS = {
  tokensPerMinute: 10_000_000,
  requestsPerMinute: 10_000,
  inputsPerRequest: 32,
  tokensPerRequest: 32_000,
  tokensPerInput: 8_191,
};

const response = z
  .object({
    embeddings: z.array(numberList),
    prompt_eval_count: z.number().optional().catch(undefined),
  })
  .transform(({ embeddings, prompt_eval_count }) => ({ vectors: embeddings, tokens: prompt_eval_count }));

// Its own API (https://docs.ollama.com/api/embed), which rejects long inputs if `truncate` is false.
const requestOf = ({ model, dimensions, texts }: EmbedRequest) => ({
  path: "/api/embed",
  headers: {},
  body: { model, input: texts, truncate: false, ...(dimensions !== undefined && { dimensions }) },
});

/**
 * Ollama, on this machine or at `baseURL`. nomic-embed-text expects its prefixes.
 *
 * @example
 * ollama({ prefixes: { passage: "search_document: ", query: "search_query: " } });
 */
export const ollama = (options: ProviderOptions & { baseURL?: string } = {}): Provider =>
  makeProviderAt(
    {
      name: "ollama",
      variables: [],
      baseURL: "http://127.0.0.1:11434",
      limits: LIMITS,
      defaultModel: "nomic-embed-text",
      models: MODELS,
      requestOf,
      response,
    },
    options,
  );
