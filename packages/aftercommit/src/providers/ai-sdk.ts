import { APIConnectionError, APIConnectionTimeoutError, APIError } from "openai";
import * as z from "zod";
import type { Answer, EmbedRequest, Provider, ProviderOptions, Purpose } from "../declare/provider.ts";
import { rootMessageOf } from "../errors.ts";
import { makeProvider } from "./make-provider.ts";
import { parsed, reasonIn } from "./read-error.ts";

type JsonValue = null | string | number | boolean | JsonValue[] | { [key: string]: JsonValue | undefined };
type OptionsOfProvider = Record<string, { [key: string]: JsonValue | undefined }>;

/** The shape of an embedding model in Vercel's AI SDK 5 or later (https://ai-sdk.dev/docs/ai-sdk-core/embeddings). */
type EmbeddingModel = {
  readonly provider: string;
  readonly modelId: string;
  readonly maxEmbeddingsPerCall: number | undefined | PromiseLike<number | undefined>;
  doEmbed: (options: {
    values: string[];
    abortSignal?: AbortSignal;
    providerOptions?: OptionsOfProvider;
  }) => PromiseLike<{ embeddings: number[][]; usage?: { tokens: number } | undefined }>;
};

type Options = ProviderOptions & {
  /** The provider's name, which models store. Default: the model's own name for it. */
  name?: string;
  /** The environment variables that its package reads, such as `MISTRAL_API_KEY`. Deployments send them to the tasks. */
  variables?: readonly string[];
  /** The width of this model's vectors. */
  dimensions: number;
  /** Options of the model's package, by purpose: `{ cohere: { inputType: "search_query" } }`. */
  providerOptions?: Partial<Record<Purpose, OptionsOfProvider>>;
};

const LIMITS = {
  tokensPerMinute: 1_000_000,
  requestsPerMinute: 3_000,
  inputsPerRequest: 96,
  tokensPerRequest: 100_000,
  tokensPerInput: 8_191,
};

// APICallError of @ai-sdk/provider.
const callError = z.object({
  statusCode: z.number().optional(),
  responseHeaders: z.record(z.string(), z.string()).optional(),
  responseBody: z.string().optional(),
});

/** Turns a failure of the AI SDK into the provider's error, with the server's own reason. */
function providerError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return new APIConnectionTimeoutError();
  const message = rootMessageOf(error);
  const { statusCode, responseHeaders, responseBody } = callError.safeParse(error).data ?? {};
  if (statusCode === undefined)
    return new APIConnectionError({ message, cause: error instanceof Error ? error : undefined });
  const reason = reasonIn(parsed(responseBody)) ?? { message };
  return APIError.generate(statusCode, { error: reason }, undefined, new Headers(responseHeaders));
}

async function embed(
  model: EmbeddingModel,
  { providerOptions }: Options,
  request: EmbedRequest,
): Promise<Answer> {
  const { texts, purpose, timeoutMs } = request;
  const options = providerOptions?.[purpose];
  const abortSignal = AbortSignal.timeout(timeoutMs);
  try {
    const { embeddings, usage } = await model.doEmbed({
      values: [...texts],
      abortSignal,
      ...(options && { providerOptions: options }),
    });
    const vectors = embeddings.map((numbers) => Float32Array.from(numbers));
    return { vectors, tokens: usage?.tokens ?? Number.NaN, left: {} };
  } catch (error) {
    throw providerError(error, abortSignal);
  }
}

/**
 * Any embedding model of the AI SDK. The package reads its key itself, from its own variable. If the model sets no
 * `maxEmbeddingsPerCall`, set `limits.inputsPerRequest`.
 *
 * @example
 * import { mistral } from "@ai-sdk/mistral";
 * aiSdk(mistral.embeddingModel("mistral-embed"), { dimensions: 1_024, variables: ["MISTRAL_API_KEY"] });
 */
export function aiSdk(model: EmbeddingModel, options: Options): Provider {
  const { provider, modelId, maxEmbeddingsPerCall: most } = model;
  const inputsPerRequest = typeof most === "number" && Number.isFinite(most) ? most : LIMITS.inputsPerRequest;
  const given = {
    name: options.name ?? provider,
    variables: options.variables ?? [],
    address: () => provider,
    limits: { ...LIMITS, inputsPerRequest },
    defaultModel: modelId,
    models: { [modelId]: { dimensions: options.dimensions } },
    embed: (request: EmbedRequest) => embed(model, options, request),
  };
  return makeProvider(given, options);
}
