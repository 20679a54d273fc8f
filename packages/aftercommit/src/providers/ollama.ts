import * as z from "zod";
import type { Answer, EmbedRequest, Provider, ProviderOptions } from "../declare/provider.ts";
import { post } from "./client.ts";
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

const schema = z.object({
  embeddings: z.array(numberList),
  prompt_eval_count: z.number().optional().catch(undefined),
});

/** Ollama's own API (https://docs.ollama.com/api/embed), which rejects long inputs if `truncate` is false. */
async function embed(baseURL: string, request: EmbedRequest): Promise<Answer> {
  const { model, dimensions, texts, timeoutMs } = request;
  const width = dimensions === undefined ? {} : { dimensions };
  const { answer } = await post({
    baseURL,
    path: "/api/embed",
    headers: {},
    body: { model, input: texts, truncate: false, ...width },
    timeoutMs,
    name: `${model} of ollama`,
    schema,
  });
  return { vectors: answer.embeddings, tokens: answer.prompt_eval_count ?? Number.NaN, left: {} };
}

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
      embed,
    },
    options,
  );
