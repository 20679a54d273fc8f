import OpenAI from "openai";
import { EMBEDDING_DIMENSIONS } from "../../drizzle/schema.ts";
import { optional, required } from "../env.ts";
import type { TextChunk } from "./split.ts";

// OpenAI takes 2,048 inputs and 300,000 tokens a request, and counts tokens itself: stay well below.
const MAX_INPUTS = 256;
const MAX_TOKENS = 200_000;

/** The provider answered, but not with one vector of 1,536 numbers for each text: another try would not help. */
export class EmbeddingShapeError extends Error {
  override readonly name = "EmbeddingShapeError";
}

/** Makes one vector for each chunk, in order; `tokens` is what the provider charges for. */
export type EmbedChunks = (chunks: readonly TextChunk[]) => Promise<{ vectors: number[][]; tokens: number }>;

/** The model that makes the vectors. */
export const embeddingModel = () => optional("EMBEDDING_MODEL") ?? "text-embedding-3-small";

function requestsOf(chunks: readonly TextChunk[]): TextChunk[][] {
  const requests: TextChunk[][] = [];
  let tokens = 0;
  for (const chunk of chunks) {
    const open = requests.at(-1);
    if (!open || open.length === MAX_INPUTS || tokens + chunk.tokens > MAX_TOKENS) {
      requests.push([chunk]);
      tokens = chunk.tokens;
    } else {
      open.push(chunk);
      tokens += chunk.tokens;
    }
  }
  return requests;
}

function checked(vectors: number[][], texts: number, model: string): number[][] {
  if (vectors.length !== texts)
    throw new EmbeddingShapeError(`${model} answered ${vectors.length} vectors for ${texts} texts`);
  const wrong = vectors.find((vector) => vector.length !== EMBEDDING_DIMENSIONS);
  if (wrong)
    throw new EmbeddingShapeError(
      `${model} answered a vector of ${wrong.length} numbers; post_embeddings.embedding has ${EMBEDDING_DIMENSIONS}`,
    );
  return vectors;
}

/**
 * Embeds chunks through OpenAI's API, or that of OPENAI_BASE_URL.
 * @throws {OpenAI.APIError} as the provider answered, without a retry of its own: the task decides that
 * @throws {EmbeddingShapeError} when the answer does not fit
 */
export const embedChunks: EmbedChunks = async (chunks) => {
  const model = embeddingModel();
  const client = new OpenAI({
    apiKey: required("OPENAI_API_KEY"),
    baseURL: optional("OPENAI_BASE_URL") ?? "https://api.openai.com/v1",
    maxRetries: 0,
    timeout: 60_000,
  });
  // Only this family can be asked for a width; others have one of their own.
  const dimensions = model.startsWith("text-embedding-3") ? EMBEDDING_DIMENSIONS : undefined;
  const vectors: number[][] = [];
  let tokens = 0;
  for (const request of requestsOf(chunks)) {
    const { data, usage } = await client.embeddings.create({
      model,
      dimensions,
      input: request.map((chunk) => chunk.text),
      // The SDK asks for base64, which some compatible servers answer with numbers all the same.
      encoding_format: "float",
    });
    const inOrder = data.toSorted((a, b) => a.index - b.index).map((item) => item.embedding);
    vectors.push(...checked(inOrder, request.length, model));
    tokens += usage?.prompt_tokens ?? request.reduce((sum, chunk) => sum + chunk.tokens, 0);
  }
  return { vectors, tokens };
};
