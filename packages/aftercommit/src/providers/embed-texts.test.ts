import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { answerWith, type Fault, startFaultyServer } from "@/tests/helpers/faulty-server.ts";
import { providerForTests } from "@/tests/helpers/providers/hashing-provider.ts";
import { EmbeddingShapeError } from "../declare/provider.ts";
import { classifyError } from "./classify-error.ts";
import { embedTexts, type ProviderModel } from "./embed-texts.ts";
import { openai } from "./openai.ts";

providerForTests();
const model = { name: "text-embedding-3-small", dimensions: 1_536, dimensionsAsked: false };
const passage = { purpose: "passage" } as const;
const now = new Date("2026-01-02T03:04:05.000Z");

afterEach(() => vi.unstubAllEnvs());

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("It did not fail");
}

/** Embeds texts through a server that answers like `fault`. */
async function embedThrough(fault: Fault, texts: string[], asked: ProviderModel = model) {
  const server = await startFaultyServer(fault);
  vi.stubEnv("OPENAI_BASE_URL", `${server.url}/v1`);
  try {
    const { outcomes, ...answer } = await embedTexts(openai(), asked, texts, passage);
    return {
      ...answer,
      vectors: outcomes.map((outcome) => ("vector" in outcome ? outcome.vector : outcome)),
    };
  } finally {
    await server.close();
  }
}

const answer = (data: unknown, usage?: object) =>
  answerWith(200, JSON.stringify({ object: "list", data, usage }));
const vector = (first: number, length = 1_536) =>
  Array.from({ length }, (_, index) => (index === 0 ? first : 0.5));
const floats = (first: number) => Float32Array.from(vector(first));
const base64 = (numbers: number[]) => Buffer.from(Float32Array.from(numbers).buffer).toString("base64");

describe("a provider that", () => {
  it("does not answer is retried", async () => {
    vi.stubEnv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1");
    expect(classifyError(await errorOf(embedTexts(openai(), model, ["text"], passage)), now)).toEqual({
      kind: "retry",
    });
  });

  it("does not know the model is not retried", async () => {
    const error = await errorOf(
      embedTexts(openai(), { ...model, name: "text-embedding-none" }, ["text"], passage),
    );
    expect(classifyError(error, now)).toEqual({ kind: "abort" });
    expect(error).toMatchObject({ message: expect.stringContaining("text-embedding-none") });
  });

  it("has no key gets no request, and the variable is named", async () => {
    vi.stubEnv("OPENAI_API_KEY", "");
    const error = await errorOf(embedTexts(openai(), model, ["text"], passage));
    expect(classifyError(error, now)).toEqual({ kind: "abort" });
    expect(error).toMatchObject({ message: expect.stringContaining("OPENAI_API_KEY is not set") });
  });
});

describe("an answer", () => {
  const two = [
    { object: "embedding", index: 0, embedding: vector(1) },
    { object: "embedding", index: 1, embedding: vector(2) },
  ];

  it("is put in the order of the texts", async () => {
    const { vectors, tokens } = await embedThrough(answer(two.toReversed(), { prompt_tokens: 7 }), [
      "a",
      "b",
    ]);
    expect(vectors).toEqual([floats(1), floats(2)]);
    expect(tokens).toBe(7);
  });

  it("only in base64, whatever was requested, is decoded", async () => {
    const data = two.map((item) => ({ ...item, embedding: base64(item.embedding) }));
    expect((await embedThrough(answer(data), ["a", "b"])).vectors).toEqual([floats(1), floats(2)]);
  });

  it("without usage does not say how many tokens it cost", async () => {
    expect((await embedThrough(answer(two), ["a", "b"])).tokens).toBeNaN();
  });

  it("says what is left of the provider's own limits", async () => {
    const headers = {
      "content-type": "application/json",
      "x-ratelimit-remaining-tokens": " 999 ",
      "x-ratelimit-remaining-requests": "many",
    };
    const fault = answerWith(200, JSON.stringify({ data: two }), headers);
    expect((await embedThrough(fault, ["a", "b"])).left).toEqual({ tokens: 999, requests: undefined });
  });

  it.each([
    [
      "vectors of another width",
      answer([{ index: 0, embedding: vector(1, 512) }]),
      /a vector of 512 numbers.*1536: npx aftercommit reembed --model text-embedding-3-small$/,
    ],
    [
      "base64 of another width",
      answer([{ index: 0, embedding: base64(vector(1, 3)) }]),
      /a vector of 3 numbers/,
    ],
    ["base64 of broken length", answer([{ index: 0, embedding: "AAAA" }]), /a vector of 0 numbers/],
    ["too few vectors", answer([]), /0 vectors for 1 texts/],
    ["too many vectors", answer(two), /2 vectors for 1 texts/],
    [
      "a vector with a hole",
      answer([{ index: 0, embedding: [Number.NaN, ...vector(1, 1_535)] }]),
      /a vector with NaN/,
    ],
    ["a vector that is none", answer([{ index: 0, embedding: { 0: 1 } }]), /an unexpected answer/],
    ["no data", answerWith(200, "{}"), /an unexpected answer/],
    ["no JSON", answerWith(200, "<html>", { "content-type": "text/html" }), /an unexpected answer/],
  ])("with %s is retried, and says what is wrong", async (_, fault, message) => {
    const error = await errorOf(embedThrough(fault, ["a"]));
    expect(error).toBeInstanceOf(EmbeddingShapeError);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    expect(classifyError(error, now)).toEqual({ kind: "retry" });
  });
});

describe("the requests", () => {
  const requestSchema = z.object({
    model: z.string(),
    input: z.array(z.string()),
    dimensions: z.number().optional(),
    encoding_format: z.string().optional(),
  });
  type Request = z.infer<typeof requestSchema>;

  /** Returns one vector per input and keeps the requests. */
  function recorder() {
    const requests: Request[] = [];
    const fault: Fault = async (request, response) => {
      const asked = requestSchema.parse(JSON.parse(await text(request)));
      requests.push(asked);
      const data = asked.input.map((input, index) => ({ index, embedding: vector(Number(input)) }));
      await answer(data, { prompt_tokens: 1 })(request, response);
    };
    return { requests, fault };
  }

  it("have all texts in one request, word for word, and ask for vectors in base64", async () => {
    const { requests, fault } = recorder();
    const texts = Array.from({ length: 600 }, (_, index) => String(index));
    const { vectors, tokens } = await embedThrough(fault, texts);
    expect(requests).toMatchObject([{ input: texts, encoding_format: "base64" }]);
    expect(vectors.map((vector) => "0" in vector && String(vector[0]))).toEqual(texts);
    expect(tokens).toBe(1);
  });

  it.each([
    ["a width that was asked for", true, 1_536],
    ["no width, where the model has its own", false, undefined],
  ])("name %s, whatever the model is called", async (_, dimensionsAsked, dimensions) => {
    for (const name of ["text-embedding-3-small", "nomic-embed-text"]) {
      const { requests, fault } = recorder();
      await embedThrough(fault, ["1"], { name, dimensions: 1_536, dimensionsAsked });
      expect(requests.map(({ model, dimensions }) => ({ model, dimensions }))).toEqual([
        { model: name, dimensions },
      ]);
    }
  });
});
