import * as z from "zod";
import type { Limits } from "../declare/provider.ts";
import type { Reranker } from "../declare/reranker.ts";
import { bearerOf } from "./bearer.ts";
import { post } from "./client.ts";

type RerankerOptions = {
  /** The URL without `/rerank`, such as `https://api.cohere.com/v2`. */
  baseURL: string;
  /** Left out for a server with one model. */
  model?: string;
  /** The name of the environment variable with the key, such as `COHERE_API_KEY`. Default: no key. */
  apiKeyVariable?: string;
  /** Whose form the requests have. Default: `cohere`, which Jina, vLLM and most others share. */
  form?: keyof typeof FORMS;
  /** The server's limits per minute. Default: 2,000,000 tokens and 500 requests. */
  limits?: Partial<Limits>;
};

const FORMS = {
  cohere: (passages: readonly string[]) => ({ documents: passages, top_n: passages.length }),
  voyage: (passages: readonly string[]) => ({ documents: passages, top_k: passages.length }),
  "text-embeddings-inference": (passages: readonly string[]) => ({ texts: passages }),
};

const LIMITS: Limits = { tokensPerMinute: 2_000_000, requestsPerMinute: 500 };
// The search ends earlier.
const TIMEOUT_MS = 60_000;

const result = z.object({
  index: z.number(),
  relevance_score: z.number().optional(),
  score: z.number().optional(),
});
// Cohere and Jina call the list `results`, Voyage `data`; text-embeddings-inference answers with the list alone.
const schema = z.union([
  z.object({ results: z.array(result) }).transform(({ results }) => results),
  z.object({ data: z.array(result) }).transform(({ data }) => data),
  z.array(result),
]);

/** The scores in the order of the passages. With any other index, a passage could get another's score. */
function inOrder(results: z.infer<typeof schema>, count: number): number[] {
  const scores = new Map(
    results.map(({ index, relevance_score, score }) => [index, relevance_score ?? score]),
  );
  const found = Array.from({ length: count }, (_, index) => scores.get(index) ?? []).flat();
  if (found.length !== count || results.length !== count)
    throw new Error("The reranker answered scores that are missing, or whose indexes repeat or do not exist");
  return found;
}

/**
 * A server that answers `POST /rerank`: Cohere, Jina, Voyage, vLLM, text-embeddings-inference, …
 *
 * @example
 * httpReranker({ baseURL: "https://api.cohere.com/v2", model: "rerank-v3.5", apiKeyVariable: "COHERE_API_KEY" });
 * @throws {DeclarationError} if `apiKeyVariable` is a key instead of the name of a variable
 */
export function httpReranker(options: RerankerOptions): Reranker {
  const { baseURL, model, apiKeyVariable, form = "cohere", limits } = options;
  const headers = bearerOf(`httpReranker({ baseURL: "${baseURL}" })`, apiKeyVariable);
  const rerank: Reranker = async (query, passages, { signal }) => {
    const { answer } = await post({
      baseURL,
      path: "/rerank",
      headers: headers(),
      body: { model, query, ...FORMS[form](passages) },
      timeoutMs: TIMEOUT_MS,
      signal,
      name: model ?? baseURL,
      schema,
    });
    return inOrder(answer, passages.length);
  };
  return Object.assign(rerank, { limits: { ...LIMITS, ...limits } });
}
