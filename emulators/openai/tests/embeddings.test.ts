import { encode } from "gpt-tokenizer/encoding/cl100k_base";
import { describe, expect, it } from "vitest";
import { startOpenAI } from "../start.ts";
import { cosine, length } from "./cosine.ts";
import { model, openAIForTests } from "./open-ai-for-tests.ts";
import { serveApp } from "./serve.ts";

const { lines, create, embed, one, refusal, post } = openAIForTests();

describe("a good request", () => {
  it("is answered in OpenAI's shape, in the order of the inputs", async () => {
    const answer = await create({ input: ["hello world", "hello"], user: "somebody" });
    expect(answer).toMatchObject({ object: "list", model, usage: { prompt_tokens: 3, total_tokens: 3 } });
    expect(answer.data.map(({ object, index }) => ({ object, index }))).toEqual([
      { object: "embedding", index: 0 },
      { object: "embedding", index: 1 },
    ]);
    expect(answer.data[0]?.embedding).toEqual(await one({ input: "hello world" }));
    expect(answer.data[1]?.embedding).toEqual(await one({ input: "hello" }));
  });

  it("gets 1,536 dimensions of unit length by default, and 3,072 from the large model", async () => {
    const small = await one({});
    expect(small).toHaveLength(1_536);
    expect(length(small)).toBeCloseTo(1, 5);
    expect(await one({ model: "text-embedding-ada-002" })).toHaveLength(1_536);
    const large = await one({ model: "text-embedding-3-large" });
    expect(large).toHaveLength(3_072);
    expect(length(large)).toBeCloseTo(1, 5);
  });

  it("gets the same numbers as base64 and as floats", async () => {
    expect(await one({ encoding_format: "float" })).toEqual(await one({}));
    const raw = await post(JSON.stringify({ model, input: "a text", encoding_format: "base64" }));
    expect(await raw.json()).toMatchObject({ data: [{ embedding: expect.stringMatching(/^[\w+/]+=*$/) }] });
  });

  it("gets floats when it names no encoding, as from OpenAI", async () => {
    const raw = await post(JSON.stringify({ model, input: "a text" }));
    expect(await raw.json()).toMatchObject({ data: [{ embedding: expect.arrayContaining([0]) }] });
  });

  it("gets fewer dimensions on demand, of unit length again", async () => {
    const whole = await one({ input: "one two three four five six seven" });
    const short = await one({ input: "one two three four five six seven", dimensions: 700 });
    expect(short).toHaveLength(700);
    expect(length(short)).toBeCloseTo(1, 5);
    expect(cosine(short, whole.slice(0, 700))).toBeCloseTo(1, 5);
    expect(length(await one({ dimensions: 1 }))).toBeCloseTo(1, 5);
  });

  it("may give its text as tokens", async () => {
    const text = "Tokens are text, too: naïve 🦄";
    const asText = await one({ input: text });
    expect(await one({ input: encode(text) })).toEqual(asText);
    expect(await embed({ input: [encode("other"), encode(text)] })).toEqual([
      await one({ input: "other" }),
      asText,
    ]);
  });

  it("is not touched by tokens that end within a character", async () => {
    const before = await one({ input: encode("🦄") });
    await create({ input: encode("🐎").slice(0, 1) });
    expect(await one({ input: encode("🦄") })).toEqual(before);
  });

  it("counts special tokens as text", async () => {
    expect((await create({ input: "<|endoftext|>" })).usage.total_tokens).toBe(7);
  });

  it("may be white space only", async () => {
    expect(length(await one({ input: " \n" }))).toBeCloseTo(1, 5);
  });

  it("carries the headers that a client looks at, and is one line in the log", async () => {
    lines.length = 0;
    const { response } = await create({ input: ["x", "y", "z"] }).withResponse();
    expect(response.headers.get("x-request-id")).toMatch(/^req_[0-9a-f]{32}$/);
    expect(Number(response.headers.get("openai-processing-ms"))).toBeGreaterThanOrEqual(0);
    expect(lines).toEqual([expect.stringMatching(/^embedded 3 inputs, 3 tokens in \d+ ms$/)]);
  });

  it("takes exactly 8,192 tokens an input and 2,048 inputs", async () => {
    expect((await create({ input: " a".repeat(8_192) })).usage.total_tokens).toBe(8_192);
    expect(await embed({ input: Array<string>(2_048).fill("a") })).toHaveLength(2_048);
  });
});

describe("a bad request is refused as OpenAI refuses it", () => {
  const invalid = { status: 400, type: "invalid_request_error" };

  it.each([
    ["an empty string", ""],
    ["an empty string among others", ["a", ""]],
    ["no input", []],
    ["no tokens", [[]]],
    ["a token that does not exist", [100_300]],
    ["a negative token", [[-1]]],
  ])("%s: 400", async (_, input) => {
    expect(await refusal({ input })).toMatchObject({
      ...invalid,
      message: expect.stringContaining("'$.input' is invalid"),
    });
  });

  it("more than 8,192 tokens in one input: 400 that names the count", async () => {
    const tooLong = {
      ...invalid,
      message: expect.stringContaining(
        "maximum context length is 8192 tokens, however you requested 8193 tokens",
      ),
    };
    expect(await refusal({ input: " a".repeat(8_193) })).toMatchObject(tooLong);
    expect(await refusal({ input: ["a", " a".repeat(8_193)] })).toMatchObject(tooLong);
    expect(await refusal({ input: Array<number>(8_193).fill(264) })).toMatchObject(tooLong);
  });

  it("more than 2,048 inputs: 400", async () => {
    expect(await refusal({ input: Array<string>(2_049).fill("a") })).toMatchObject({
      ...invalid,
      message: expect.stringContaining("array length must be 2048 or less"),
    });
  });

  it("more than 300,000 tokens in one request: 400 that names the count", async () => {
    const input = Array<string>(40).fill(" a".repeat(7_501));
    expect(await refusal({ input })).toMatchObject({
      status: 400,
      code: "max_tokens_per_request",
      message: expect.stringContaining("Requested 300040 tokens, max 300000 tokens per request"),
    });
  });

  it.each([0, -1, 1_537, 1.5])("dimensions of %d: 400", async (dimensions) => {
    expect(await refusal({ dimensions })).toMatchObject({ ...invalid, param: "dimensions" });
  });

  it("dimensions for a model of the second generation: 400", async () => {
    expect(await refusal({ model: "text-embedding-ada-002", dimensions: 512 })).toMatchObject(invalid);
  });

  it("an unknown model: 404 model_not_found", async () => {
    expect(await refusal({ model: "text-embedding-4" })).toMatchObject({
      status: 404,
      type: "invalid_request_error",
      code: "model_not_found",
    });
  });

  it.each([
    ["cut off", `{"model":"${model}","inp`],
    ["nothing", ""],
    ["no object", "[]"],
    ["without a model", `{"input":"a"}`],
    ["with an encoding that does not exist", `{"model":"${model}","input":"a","encoding_format":"hex"}`],
  ])("JSON that is %s: 400", async (_, body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { message: expect.any(String), type: "invalid_request_error", code: null },
    });
  });

  it.each<Record<string, string>>([{}, { authorization: "Bearer " }, { authorization: "Basic c2s6" }])(
    "a request without a key (%j): 401",
    async (headers) => {
      const answer = await post(JSON.stringify({ model, input: "a" }), headers);
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({
        error: { message: expect.stringContaining("You didn't provide an API key"), param: null, code: null },
      });
    },
  );

  it("another key than the configured one: 401 invalid_api_key", async () => {
    const strict = await startOpenAI({ model: "hashing", apiKey: "sk-right", log: () => {} });
    const strictSite = await serveApp(strict.app);
    const call = (apiKey: string) =>
      strictSite.client.withOptions({ apiKey }).embeddings.create({ model, input: "a" });
    await expect(call("sk-wrong")).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
    expect((await call("sk-right")).data).toHaveLength(1);
    await strictSite.close();
    await strict.close();
  });
});
