import { text } from "node:stream/consumers";
import { APIError } from "openai";
import { afterEach, describe, expect, it, vi } from "vitest";
import { answerWith, type Fault, startFaultyServer } from "@/tests/helpers/faulty-server.ts";
import { startFormServer } from "@/tests/helpers/providers/form-server.ts";
import { FORMS } from "@/tests/helpers/providers/forms.ts";
import {
  EmbeddingShapeError,
  type Provider,
  type ProviderOptions,
  type Purpose,
} from "../declare/provider.ts";
import { defineEmbedding } from "../define.ts";
import { classifyError } from "./classify-error.ts";
import { embedTexts } from "./embed-texts.ts";
import { openai } from "./openai.ts";
import { openaiCompatible } from "./openai-compatible.ts";

const MODEL = { name: "m", dimensions: 2, dimensionsAsked: false };
const JSON_TYPE = { "content-type": "application/json" };

afterEach(() => vi.unstubAllEnvs());

/**
 * The outcomes for texts from an OpenAI-compatible server; each request gets the next fault, and the last one repeats.
 */
async function ask(faults: Fault[], { texts = ["a", "b"], times = 1 } = {}) {
  const bodies: Record<string, unknown>[] = [];
  const server = await startFaultyServer(async (request, response) => {
    bodies.push(JSON.parse(await text(request)));
    await faults[Math.min(bodies.length, faults.length) - 1]?.(request, response);
  });
  const provider = openaiCompatible({
    name: "here",
    baseURL: `${server.url}/v1`,
    model: { name: "m", dimensions: 2 },
  });
  try {
    for (let time = 1; ; time += 1) {
      const { outcomes } = await embedTexts(provider, MODEL, texts, { purpose: "passage" });
      if (time === times)
        return {
          bodies,
          vectors: outcomes.map((outcome) => ("vector" in outcome ? [...outcome.vector] : outcome.failed)),
        };
    }
  } finally {
    await server.close();
  }
}

const errorOf = async (body: string, status = 422, headers: Record<string, string> = JSON_TYPE) =>
  ask([answerWith(status, body, headers)]).then(
    () => expect.fail("It did not fail"),
    (error: unknown) => error,
  );

const answer = (...indexes: (number | null | undefined)[]) =>
  answerWith(
    200,
    JSON.stringify({ data: indexes.map((index, place) => ({ index, embedding: [place + 1, 1] })) }),
  );

describe("an index in an answer", () => {
  it.each([
    ["is left out where it is 0, as Protobuf does", [undefined, 1], [1, 2]],
    ["is left out where it is 0, in another order", [1, undefined], [2, 1]],
    ["is null everywhere", [null, null], [1, 2]],
    ["is left out everywhere", [undefined, undefined], [1, 2]],
    ["is 0 everywhere", [0, 0], [1, 2]],
  ])("that %s gives each text its own vector", async (_, indexes, order) => {
    const { vectors } = await ask([answer(...indexes)]);
    expect(vectors).toEqual(order.map((first) => [first, 1]));
  });

  it("that is missing in the only vector means its text", async () => {
    expect((await ask([answer(undefined)], { texts: ["a"] })).vectors).toEqual([[1, 1]]);
  });

  it.each([
    ["repeats", [1, 1]],
    ["is out of range", [0, 2]],
    ["is negative", [0, -1]],
  ])("that %s discards the whole response, which is retried", async (_, indexes) => {
    const error = await ask([answer(...indexes)]).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(EmbeddingShapeError);
    expect(error).toMatchObject({ message: expect.stringContaining("indexes repeat or do not exist") });
    expect(classifyError(error, new Date())).toEqual({ kind: "retry" });
  });
});

describe("an error", () => {
  it.each([
    ["OpenAI's error", '{"error":{"message":"Why not","code":"x"}}'],
    ["a text at error, as Ollama", '{"error":"Why not"}'],
    ["a list with an error, as Gemini's OpenAI endpoint", '[{"error":{"code":400,"message":"Why not"}}]'],
    ["a detail, as Voyage", '{"detail":"Why not"}'],
    ["a message, as Cohere", '{"id":"1","message":"Why not"}'],
    ["a message and an error's name, like Fastify", '{"error":"Bad Request","message":"Why not"}'],
    ["a message and a type, like vLLM", '{"object":"error","message":"Why not","type":"x","code":400}'],
    ["a list of errors, as Cloudflare", '{"success":false,"errors":[{"code":1,"message":"Why not"}]}'],
  ])("of the form %s says the server's own reason", async (_, body) => {
    const error = await errorOf(body);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: 422, message: "422 Why not" });
  });

  it("of FastAPI names the place in the request", async () => {
    const error = await errorOf('{"detail":[{"loc":["body","input",1],"msg":"Why not","type":"x"}]}');
    expect(error).toMatchObject({ message: "422 input[1]: Why not", param: "input[1]" });
  });

  it.each([
    ["a text", "upstream connect error", "502 upstream connect error"],
    ["a proxy's page", "<html><body><h1>Bad Gateway</h1></body></html>", "502 Bad Gateway"],
    ["nothing", "", "502 Bad Gateway"],
  ])("that is %s says that", async (_, body, message) => {
    expect(await errorOf(body, 502, { "content-type": "text/html" })).toMatchObject({ message });
  });

  it("of Google has the time to wait in its body", async () => {
    const body = '{"error":{"code":429,"message":"Quota","details":[{"retryDelay":"34s"}]}}';
    const now = new Date();
    expect(classifyError(await errorOf(body, 429), now)).toEqual({
      kind: "retryAt",
      at: new Date(now.getTime() + 34_000),
    });
  });
});

describe("an error in an HTTP 200 response", () => {
  it.each([
    ["has its code for a status", '{"error":{"message":"No credits","code":402}}', 402, "402 No credits"],
    ["that is a rate limit is one", '{"error":{"message":"Slow down","code":429}}', 429, "429 Slow down"],
    ["without a code is the server's", '{"error":"model is loading"}', 502, "502 model is loading"],
    ["without `error` is found as well", '{"detail":"no such model"}', 502, "502 no such model"],
  ])("%s", async (_, body, status, message) => {
    expect(await errorOf(body, 200)).toMatchObject({ status, message });
  });
});

describe("a server that rejects encoding_format", () => {
  it("gets the request again without it, and from then on never with it", async () => {
    const refused = answerWith(
      400,
      '{"error":{"message":"Extra inputs are not permitted","param":"encoding_format"}}',
    );
    const { vectors, bodies } = await ask([refused, answer(0, 1)], { times: 2 });
    expect(vectors).toHaveLength(2);
    expect(bodies.map(({ encoding_format }) => encoding_format)).toEqual(["base64", undefined, undefined]);
  });

  it("does not, if it rejects something else", async () => {
    await expect(ask([answerWith(400, '{"error":{"message":"no"}}')])).rejects.toMatchObject({ status: 400 });
  });
});

it("a response that breaks off is a failed connection", async () => {
  const error = await ask([
    (_, response) => {
      response.writeHead(200, { ...JSON_TYPE, "content-length": "1000" });
      response.write('{"data":[', () => response.destroy());
    },
  ]).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(APIError);
  expect(error).toMatchObject({ status: undefined });
});

describe("what is asked of a provider", () => {
  async function bodyOf(formName: string, purpose: Purpose, options: ProviderOptions = {}): Promise<unknown> {
    const form = FORMS[formName] ?? expect.fail(formName);
    const server = await startFormServer(form);
    vi.stubEnv("OPENAI_BASE_URL", `${server.url}/v1`);
    for (const name of ["OPENAI", "VOYAGE", "COHERE", "GEMINI"]) vi.stubEnv(`${name}_API_KEY`, "key");
    const provider: Provider = form.provider(server.url, options);
    try {
      await embedTexts(provider, { name: "m", dimensions: 8, dimensionsAsked: true }, ["a"], { purpose });
      return server.state.bodies[0];
    } finally {
      await server.close();
    }
  }

  it("names the requested width and the purpose of the text, in the provider's terms", async () => {
    expect(await bodyOf("openai", "query")).toMatchObject({ dimensions: 8 });
    expect(await bodyOf("voyage", "passage")).toMatchObject({
      output_dimension: 8,
      input_type: "document",
      truncation: false,
    });
    expect(await bodyOf("voyage", "query")).toMatchObject({ input_type: "query" });
    expect(await bodyOf("cohere", "passage")).toMatchObject({
      output_dimension: 8,
      input_type: "search_document",
      truncate: "NONE",
    });
    expect(await bodyOf("cohere", "query")).toMatchObject({ input_type: "search_query" });
    expect(await bodyOf("gemini", "query")).toMatchObject({
      requests: [{ model: "models/m", outputDimensionality: 8, taskType: "RETRIEVAL_QUERY" }],
    });
    expect(await bodyOf("ollama", "query")).toMatchObject({ dimensions: 8, truncate: false });
  });

  it("begins with the declared prefix", async () => {
    const prefixes = { passage: "passage: ", query: "query: " };
    expect(await bodyOf("ollama", "passage", { prefixes })).toMatchObject({ input: ["passage: a"] });
    expect(await bodyOf("ollama", "query", { prefixes })).toMatchObject({ input: ["query: a"] });
  });

  it("is nothing if the key is missing: the error names the variable", async () => {
    const form = FORMS.voyage ?? expect.fail();
    vi.stubEnv("VOYAGE_API_KEY", "");
    await expect(
      embedTexts(form.provider("http://127.0.0.1:1", {}), MODEL, ["a"], { purpose: "query" }),
    ).rejects.toThrow("VOYAGE_API_KEY is not set");
  });

  it("fails at its declaration if the key itself is written there", () => {
    const declared = () =>
      openaiCompatible({
        name: "here",
        baseURL: "http://127.0.0.1:1",
        apiKeyVariable: "sk-123",
        model: { name: "m", dimensions: 2 },
      });
    expect(declared).toThrow(/apiKeyVariable.*name of an environment variable/);
  });
});

it.each([
  ["none", []],
  ["two of one name", [openai(), openai()]],
])("a declaration with %s is rejected: a model must know its provider", (_, providers) => {
  const declare = () =>
    defineEmbedding({ row: "post", table: "public.posts", key: "id", text: ["title"], providers });
  expect(declare).toThrow(/providers.*one or more, each with a name of its own/);
});
