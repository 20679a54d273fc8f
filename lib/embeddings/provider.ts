import OpenAI from "openai";
import { z } from "zod";
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

/** One answered request: `tokens` is what the provider charges for, whatever comes of the answer. */
export type Usage = { model: string; tokens: number };

type EmbedOptions = {
  /** Of one request, in milliseconds; a minute when left out. */
  timeoutMs?: number;
  /** Called after each answered request. */
  used?: (usage: Usage) => Promise<void>;
};

/** Makes one vector for each chunk, in order; `tokens` is what the provider charges for. */
export type EmbedChunks = (
  chunks: readonly TextChunk[],
  options?: EmbedOptions,
) => Promise<{ vectors: number[][]; tokens: number }>;

/** The model that makes the vectors. */
export const embeddingModel = () => optional("EMBEDDING_MODEL") ?? "text-embedding-3-small";

function floatsOf(base64: string): number[] {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  return Array.from(new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4)));
}

const answerSchema = z.object({
  data: z.array(
    z.object({
      index: z.number(),
      // Some compatible servers know one encoding only, whatever they are asked for.
      embedding: z.union([z.array(z.number()), z.base64().transform(floatsOf)]),
    }),
  ),
});

const usageSchema = z.object({ usage: z.object({ prompt_tokens: z.number() }) });

const tokensOf = (answer: unknown, chunks: readonly TextChunk[]) =>
  usageSchema.safeParse(answer).data?.usage.prompt_tokens ??
  chunks.reduce((sum, chunk) => sum + chunk.tokens, 0);

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

function vectorsOf(answer: unknown, texts: number, model: string) {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success)
    throw new EmbeddingShapeError(`${model} answered no embeddings: ${parsed.error.issues[0]?.message}`);
  const vectors = parsed.data.data.toSorted((a, b) => a.index - b.index).map((item) => item.embedding);
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
export const embedChunks: EmbedChunks = async (chunks, { timeoutMs = 60_000, used } = {}) => {
  const model = embeddingModel();
  const client = new OpenAI({
    apiKey: required("OPENAI_API_KEY"),
    baseURL: optional("OPENAI_BASE_URL") ?? "https://api.openai.com/v1",
    maxRetries: 0,
    timeout: timeoutMs,
  });
  // Only this family can be asked for a width; others have one of their own.
  const dimensions = model.startsWith("text-embedding-3") ? EMBEDDING_DIMENSIONS : undefined;
  const vectors: number[][] = [];
  let tokens = 0;
  for (const request of requestsOf(chunks)) {
    const answer = await client.embeddings.create({
      model,
      dimensions,
      input: request.map((chunk) => chunk.text),
      // Left out, the SDK asks for base64 and decodes whatever comes, numbers as well, to garbage.
      encoding_format: "float",
    });
    const charged = tokensOf(answer, request);
    await used?.({ model, tokens: charged });
    vectors.push(...vectorsOf(answer, request.length, model));
    tokens += charged;
  }
  return { vectors, tokens };
};
