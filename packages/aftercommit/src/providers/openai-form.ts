import { APIError } from "openai";
import * as z from "zod";
import { type Answer, EmbeddingShapeError, type EmbedRequest } from "../declare/provider.ts";
import { post } from "./client.ts";
import { base64Floats, numberList } from "./numbers.ts";

/** An OpenAI-compatible endpoint. Read for each request, so that a missing variable is named when it is needed. */
type Endpoint = { name: string; baseURL: string; headers: Record<string, string | null> };

/** A server's name for OpenAI's `dimensions`, and its additional parameters. */
type Form = { widthName?: string; extra?: (request: EmbedRequest) => object };

const answerSchema = z.object({
  data: z.array(
    z.object({
      index: z.number().nullish(),
      // Some servers return only numbers, whatever the request asks for.
      embedding: z.union([base64Floats, numberList]),
    }),
  ),
  usage: z
    .object({ prompt_tokens: z.number().optional(), total_tokens: z.number().optional() })
    .optional()
    .catch(undefined),
});

/**
 * Vectors in the order of the texts. Protobuf omits an index of 0 in JSON, and some servers number nothing, or number
 * everything 0: those answer in order. Any other inconsistency means that a text could get another's vector.
 */
function inOrder({ data }: z.infer<typeof answerSchema>, name: string): Float32Array[] {
  const indexes = data.map(({ index }) => index ?? 0);
  if (indexes.every((index) => index === 0)) return data.map(({ embedding }) => embedding);
  const vectors: (Float32Array | undefined)[] = data.map(() => undefined);
  for (const [place, { embedding }] of data.entries()) vectors[indexes[place] ?? -1] = embedding;
  const found = vectors.filter((vector) => vector !== undefined);
  if (found.length !== data.length || vectors.length !== data.length)
    throw new EmbeddingShapeError(`${name} answered vectors whose indexes repeat or do not exist`);
  return found;
}

const numberIn = (headers: Headers, name: string) => {
  const text = headers.get(name)?.trim();
  return text && /^\d+$/.test(text) ? Number(text) : undefined;
};

const refusesFormat = (error: unknown) =>
  error instanceof APIError &&
  [400, 422].includes(error.status ?? 0) &&
  `${error.param} ${error.message}`.includes("encoding_format");

/**
 * Embeds texts with `POST /embeddings` like OpenAI. Remembers, in this process, that a server does not support base64.
 */
export function openaiForm(endpoint: () => Endpoint, { widthName = "dimensions", extra }: Form = {}) {
  let knowsFormat = true;
  return async function embed(request: EmbedRequest): Promise<Answer> {
    const { model, dimensions, texts, timeoutMs } = request;
    const { name, baseURL, headers } = endpoint();
    const width = dimensions === undefined ? {} : { [widthName]: dimensions };
    const body = { model, input: texts, ...width, ...extra?.(request) };
    const ask = (format: object) =>
      post({
        baseURL,
        path: "/embeddings",
        headers,
        body: { ...body, ...format },
        timeoutMs,
        name: `${model} of ${name}`,
        schema: answerSchema,
      });
    const answered = knowsFormat
      ? await ask({ encoding_format: "base64" }).catch((error: unknown) => {
          if (!refusesFormat(error)) throw error;
          knowsFormat = false;
          return ask({});
        })
      : await ask({});
    const { prompt_tokens, total_tokens } = answered.answer.usage ?? {};
    return {
      vectors: inOrder(answered.answer, `${model} of ${name}`),
      tokens: prompt_tokens ?? total_tokens ?? Number.NaN,
      left: {
        tokens: numberIn(answered.headers, "x-ratelimit-remaining-tokens"),
        requests: numberIn(answered.headers, "x-ratelimit-remaining-requests"),
      },
    };
  };
}
