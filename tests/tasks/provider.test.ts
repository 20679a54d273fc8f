import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { classifyError } from "../../lib/embeddings/classify-error.ts";
import { EmbeddingShapeError, embedChunks } from "../../lib/embeddings/provider.ts";
import { answerWith, type Fault, startFaultyServer } from "../faulty-server.ts";
import { providerForTests } from "./provider.ts";

providerForTests();
const chunk = (text: string) => ({ text, tokens: 10 });
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

/** Embeds texts through a server that answers as `fault` does. */
async function embedThrough(fault: Fault, texts: string[]) {
  const server = await startFaultyServer(fault);
  vi.stubEnv("OPENAI_BASE_URL", `${server.url}/v1`);
  try {
    return await embedChunks(texts.map(chunk));
  } finally {
    await server.close();
  }
}

const answer = (data: unknown, usage?: object) =>
  answerWith(200, JSON.stringify({ object: "list", data, usage }));
const vector = (first: number, length = 1_536) =>
  Array.from({ length }, (_, index) => (index === 0 ? first : 0.5));
const base64 = (numbers: number[]) => Buffer.from(Float32Array.from(numbers).buffer).toString("base64");

describe("a provider that", () => {
  it("does not answer is called again", async () => {
    vi.stubEnv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1");
    expect(classifyError(await errorOf(embedChunks([chunk("text")])), now)).toEqual({ kind: "retry" });
  });

  it("does not know the model is not called again", async () => {
    vi.stubEnv("EMBEDDING_MODEL", "text-embedding-none");
    const error = await errorOf(embedChunks([chunk("text")]));
    expect(classifyError(error, now)).toEqual({ kind: "abort" });
    expect(error).toMatchObject({ message: expect.stringContaining("text-embedding-none") });
  });

  it("has no key is not called, and the variable is named", async () => {
    vi.stubEnv("OPENAI_API_KEY", "");
    const error = await errorOf(embedChunks([chunk("text")]));
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
    expect(vectors).toEqual([vector(1), vector(2)]);
    expect(tokens).toBe(7);
  });

  it("in base64 only, whatever was asked for, is decoded", async () => {
    const data = two.map((item) => ({ ...item, embedding: base64(item.embedding) }));
    expect((await embedThrough(answer(data), ["a", "b"])).vectors).toEqual([vector(1), vector(2)]);
  });

  it("without usage is counted by the texts' own tokens", async () => {
    expect((await embedThrough(answer(two), ["a", "b"])).tokens).toBe(20);
  });

  it.each([
    [
      "vectors of another width",
      answer([{ index: 0, embedding: vector(1, 512) }]),
      /a vector of 512 numbers.*1536/,
    ],
    [
      "base64 of another width",
      answer([{ index: 0, embedding: base64(vector(1, 3)) }]),
      /a vector of 3 numbers/,
    ],
    ["base64 of broken length", answer([{ index: 0, embedding: "AAAA" }]), /a vector of 0 numbers/],
    ["too few vectors", answer([]), /0 vectors for 1 texts/],
    ["too many vectors", answer(two), /2 vectors for 1 texts/],
    ["a vector with a hole", answer([{ index: 0, embedding: [null] }]), /no embeddings/],
    ["no data", answerWith(200, "{}"), /no embeddings/],
    ["no JSON", answerWith(200, "<html>", { "content-type": "text/html" }), /no embeddings/],
  ])("with %s ends the run with what is wrong", async (_, fault, message) => {
    const error = await errorOf(embedThrough(fault, ["a"]));
    expect(error).toBeInstanceOf(EmbeddingShapeError);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    expect(classifyError(error, now)).toEqual({ kind: "abort" });
  });
});

describe("the requests", () => {
  const requestSchema = z.object({
    model: z.string(),
    input: z.array(z.string()),
    dimensions: z.number().optional(),
  });
  type Request = z.infer<typeof requestSchema>;

  /** Answers one vector for each input and keeps what was asked. */
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

  it("have at most 256 texts each, and the vectors stay in order", async () => {
    const { requests, fault } = recorder();
    const texts = Array.from({ length: 600 }, (_, index) => String(index));
    const { vectors, tokens } = await embedThrough(fault, texts);
    expect(requests.map(({ input }) => input.length)).toEqual([256, 256, 88]);
    expect(vectors.map(([first]) => String(first))).toEqual(texts);
    expect(tokens).toBe(3);
  });

  it.each([
    ["text-embedding-3-small", 1_536],
    ["text-embedding-3-large", 1_536],
    ["text-embedding-ada-002", undefined],
    ["nomic-embed-text", undefined],
  ])("ask %s for the width %s", async (model, dimensions) => {
    vi.stubEnv("EMBEDDING_MODEL", model);
    const { requests, fault } = recorder();
    await embedThrough(fault, ["1"]);
    expect(requests.map(({ model, dimensions }) => ({ model, dimensions }))).toEqual([{ model, dimensions }]);
  });
});
