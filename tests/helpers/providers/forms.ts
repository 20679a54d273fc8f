import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { z } from "zod";
import type { Provider, ProviderOptions } from "../../../packages/aftercommit/src/declare/provider.ts";
import { aiSdk } from "../../../packages/aftercommit/src/providers/ai-sdk.ts";
import { azure } from "../../../packages/aftercommit/src/providers/azure.ts";
import { cohere } from "../../../packages/aftercommit/src/providers/cohere.ts";
import { gemini } from "../../../packages/aftercommit/src/providers/gemini.ts";
import { ollama } from "../../../packages/aftercommit/src/providers/ollama.ts";
import { openai } from "../../../packages/aftercommit/src/providers/openai.ts";
import { openaiCompatible } from "../../../packages/aftercommit/src/providers/openai-compatible.ts";
import { voyage } from "../../../packages/aftercommit/src/providers/voyage.ts";

type Vectors = readonly (readonly number[])[];

/** A provider, and how its server reads and answers a request. */
export type Form = {
  provider: (url: string, options: ProviderOptions) => Provider;
  textsOf: (body: unknown) => string[];
  answerOf: (vectors: Vectors) => unknown;
  errorOf: (status: number, message: string) => unknown;
};

const inputSchema = z.object({ input: z.array(z.string()) });
const inputOf = (body: unknown) => inputSchema.parse(body).input;

const base64 = (vector: readonly number[]) =>
  Buffer.from(Float32Array.from(vector).buffer).toString("base64");

// https://platform.openai.com/docs/api-reference/embeddings/object
const openaiAnswer = (vectors: Vectors) => ({
  object: "list",
  data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: base64(vector) })),
  model: "m",
  usage: { prompt_tokens: vectors.length, total_tokens: vectors.length },
});
const openaiError = (_: number, message: string) => ({
  error: { message, type: "invalid_request_error", param: null, code: null },
});

export const FORMS: Readonly<Record<string, Form>> = {
  openai: {
    provider: (_, options) => openai(options),
    textsOf: inputOf,
    answerOf: openaiAnswer,
    errorOf: openaiError,
  },
  // text-embeddings-inference: numbers, and errors without `error`
  // (https://github.com/huggingface/text-embeddings-inference/blob/main/docs/openapi.json).
  openaiCompatible: {
    provider: (url, options) =>
      openaiCompatible({
        ...options,
        name: "tei",
        baseURL: `${url}/v1`,
        model: { name: "m", dimensions: 8 },
      }),
    textsOf: inputOf,
    answerOf: (vectors) => ({
      object: "list",
      data: vectors.map((embedding, index) => ({ object: "embedding", index, embedding })),
      model: "m",
      usage: { prompt_tokens: vectors.length, total_tokens: vectors.length },
    }),
    errorOf: (code, message) => ({ message, code, type: "Validation" }),
  },
  // https://learn.microsoft.com/azure/ai-foundry/openai/reference: an inner error in addition to OpenAI's.
  azure: {
    provider: (_, options) => azure({ ...options, deployment: "m" }),
    textsOf: inputOf,
    answerOf: openaiAnswer,
    errorOf: (status, message) => ({ error: { code: String(status), message, innererror: { code: "X" } } }),
  },
  // https://docs.voyageai.com/reference/embeddings-api: usage has only total_tokens; errors are FastAPI's.
  voyage: {
    provider: (url, options) => voyage({ ...options, baseURL: `${url}/v1` }),
    textsOf: inputOf,
    answerOf: (vectors) => ({ ...openaiAnswer(vectors), usage: { total_tokens: vectors.length } }),
    errorOf: (_, detail) => ({ detail }),
  },
  // https://docs.cohere.com/reference/embed
  cohere: {
    provider: (url, options) => cohere({ ...options, baseURL: `${url}/v2` }),
    textsOf: (body) => z.object({ texts: z.array(z.string()).max(96) }).parse(body).texts,
    answerOf: (vectors) => ({
      id: "0",
      embeddings: { float: vectors },
      texts: [],
      meta: { api_version: { version: "2" }, billed_units: { input_tokens: vectors.length } },
    }),
    errorOf: (_, message) => ({ id: "0", message }),
  },
  // https://ai.google.dev/api/embeddings#method:-models.batchembedcontents
  gemini: {
    provider: (url, options) => gemini({ ...options, baseURL: `${url}/v1beta` }),
    textsOf: (body) =>
      z
        .object({
          requests: z
            .array(z.object({ content: z.object({ parts: z.tuple([z.object({ text: z.string() })]) }) }))
            .max(100),
        })
        .parse(body)
        .requests.map(({ content }) => content.parts[0].text),
    answerOf: (vectors) => ({ embeddings: vectors.map((values) => ({ values })) }),
    errorOf: (code, message) => ({
      error: {
        code,
        message,
        status: "X",
        ...(code === 429 && {
          details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.2s" }],
        }),
      },
    }),
  },
  // https://docs.ollama.com/api/embed
  ollama: {
    provider: (url, options) => ollama({ ...options, baseURL: url }),
    textsOf: inputOf,
    answerOf: (embeddings) => ({
      model: "m",
      embeddings,
      total_duration: 1,
      prompt_eval_count: embeddings.length,
    }),
    errorOf: (_, error) => ({ error }),
  },
  aiSdk: {
    provider: (url, options) =>
      aiSdk(createOpenAICompatible({ name: "sdk", baseURL: `${url}/v1` }).textEmbeddingModel("m"), {
        ...options,
        name: "sdk",
        dimensions: 8,
      }),
    textsOf: (body) => z.object({ input: z.array(z.string()) }).parse(body).input,
    answerOf: (vectors) => ({
      object: "list",
      data: vectors.map((embedding, index) => ({ object: "embedding", index, embedding })),
      usage: { prompt_tokens: vectors.length, total_tokens: vectors.length },
    }),
    errorOf: openaiError,
  },
};
