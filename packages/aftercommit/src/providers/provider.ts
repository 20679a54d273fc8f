import OpenAI from "openai";
import { z } from "zod";
import { optional, required } from "../env.ts";
import type { Model } from "../models/models.ts";

/** The provider answered, but not with one vector of the model's width for each text: another try would not help. */
export class EmbeddingShapeError extends Error {
  override readonly name = "EmbeddingShapeError";

  /** What mends it, where a command does. */
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(command ? `${message}: ${command}` : message);
    this.command = command;
  }
}

type OfLimits = { tokens?: number | undefined; requests?: number | undefined };

/**
 * One answered request: `tokens` is what the provider charges for; `left` what it says of its own limits, and `allowed`
 * how much they are in a minute.
 */
export type Answer = { vectors: Float32Array[]; tokens: number; left: OfLimits; allowed?: OfLimits };

/** A model as its provider knows it. */
export type ProviderModel = Pick<Model, "name" | "dimensions">;

/** Makes one vector for each text, in order, by one request. `timeoutMs` is a minute when left out. */
export type EmbedTexts = (
  model: ProviderModel,
  texts: readonly string[],
  options?: { timeoutMs?: number },
) => Promise<Answer>;

function floatsOf(base64: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
}

const numbersOf = (list: readonly unknown[]) =>
  // Float32Array would make 0 of null.
  Float32Array.from(list, (item) => (typeof item === "number" ? item : Number.NaN));

const answerSchema = z.object({
  data: z.array(
    z.object({
      index: z.number(),
      // Some compatible servers know numbers only, whatever they are asked for.
      embedding: z.union([
        z.string().transform(floatsOf),
        z.custom<unknown[]>(Array.isArray).transform(numbersOf),
      ]),
    }),
  ),
  usage: z.object({ prompt_tokens: z.number() }).optional().catch(undefined),
});

function vectorsOf(
  { data }: z.infer<typeof answerSchema>,
  texts: number,
  { name, dimensions }: ProviderModel,
) {
  const vectors = data.toSorted((a, b) => a.index - b.index).map((item) => item.embedding);
  if (vectors.length !== texts)
    throw new EmbeddingShapeError(`${name} answered ${vectors.length} vectors for ${texts} texts`);
  const wrong = vectors.find((vector) => vector.length !== dimensions);
  if (wrong)
    throw new EmbeddingShapeError(
      `${name} answered a vector of ${wrong.length} numbers, and is registered with ${dimensions}`,
      `npm run reembed -- --model ${name} --dimensions ${wrong.length}`,
    );
  if (vectors.some((vector) => !vector.every(Number.isFinite)))
    throw new EmbeddingShapeError(`${name} answered a vector with what is no number`);
  return vectors;
}

const numberIn = (headers: Headers, name: string) => {
  const text = headers.get(name)?.trim();
  return text && /^\d+$/.test(text) ? Number(text) : undefined;
};

/**
 * Embeds texts through OpenAI's API, or that of OPENAI_BASE_URL.
 * @throws {OpenAI.APIError} as the provider answered, without a retry of its own
 * @throws {EmbeddingShapeError} when the answer does not fit
 */
export const embedTexts: EmbedTexts = async (model, texts, { timeoutMs = 60_000 } = {}) => {
  const client = new OpenAI({
    apiKey: required("OPENAI_API_KEY"),
    baseURL: optional("OPENAI_BASE_URL") ?? "https://api.openai.com/v1",
    maxRetries: 0,
    timeout: timeoutMs,
  });
  const { data, response } = await client.embeddings
    .create({
      model: model.name,
      // Only this family can be asked for a width; others have one of their own.
      dimensions: model.name.startsWith("text-embedding-3") ? model.dimensions : undefined,
      input: [...texts],
      // Asked for by name, the SDK leaves the answer as it is: a quarter of the bytes, and no numbers to parse.
      encoding_format: "base64",
    })
    .withResponse();
  const answer = answerSchema.safeParse(data);
  if (!answer.success)
    throw new EmbeddingShapeError(`${model.name} answered no embeddings: ${answer.error.issues[0]?.message}`);
  return {
    vectors: vectorsOf(answer.data, texts.length, model),
    tokens: answer.data.usage?.prompt_tokens ?? Number.NaN,
    left: {
      tokens: numberIn(response.headers, "x-ratelimit-remaining-tokens"),
      requests: numberIn(response.headers, "x-ratelimit-remaining-requests"),
    },
    allowed: {
      tokens: numberIn(response.headers, "x-ratelimit-limit-tokens"),
      requests: numberIn(response.headers, "x-ratelimit-limit-requests"),
    },
  };
};
