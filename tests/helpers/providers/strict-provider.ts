import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll } from "vitest";
import { z } from "zod";
import { answerWith, type Fault, startFaultyServer } from "../faulty-server.ts";

const requestSchema = z.object({
  model: z.string(),
  input: z.array(z.string()),
  dimensions: z.number().default(8),
});
type Request = z.infer<typeof requestSchema>;

/** A response instead of vectors; undefined means vectors. */
type Rule = (request: Request, isGone: () => boolean) => Fault | undefined | Promise<Fault | undefined>;

const errorOf = (status: number, error: object, headers: Record<string, string> = {}) =>
  answerWith(status, JSON.stringify({ error }), { "content-type": "application/json", ...headers });

export const refuse = (message: string, param: string | null = null) =>
  errorOf(400, { message, type: "invalid_request_error", param, code: null });

export const limitRate = (headers: Record<string, string>) =>
  errorOf(
    429,
    { message: "Rate limit reached", type: "tokens", param: null, code: "rate_limit_exceeded" },
    headers,
  );

/** Rejects the whole request if an input has the word poison, like OpenAI, with or without naming the input. */
export const poisoned =
  ({ named }: { named: boolean }): Rule =>
  ({ input }) => {
    const index = input.findIndex((one) => one.includes("poison"));
    if (index === -1) return undefined;
    return named
      ? refuse(`'$.input[${index}]' is invalid.`, `input[${index}]`)
      : refuse("'$.input' is invalid.");
  };

/** The same vector for the same text. */
export function vectorOf(input: string, dimensions = 8): number[] {
  const sum = [...input].reduce(
    (sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003,
    7,
  );
  return Array.from({ length: dimensions }, (_, place) => Math.fround(Math.sin(sum + place)));
}

type VectorFor = (request: Request, input: string) => readonly number[];

/**
 * An embeddings endpoint for the tests of a file that rejects what it is told to. OPENAI_BASE_URL names it. All its
 * models are the same, unless `vectorFor` says otherwise.
 */
export function strictProviderForTests(
  vectorFor: VectorFor = ({ dimensions }, input) => vectorOf(input, dimensions),
) {
  let server: Awaited<ReturnType<typeof startFaultyServer>>;
  const before = { url: process.env.OPENAI_BASE_URL, key: process.env.OPENAI_API_KEY };
  const state: { requests: Request[]; rule: Rule; headers: Record<string, string> } = {
    requests: [],
    rule: () => undefined,
    headers: {},
  };

  beforeAll(async () => {
    server = await startFaultyServer(async (request, response) => {
      const asked = requestSchema.parse(JSON.parse(await text(request)));
      state.requests.push(asked);
      const fault = await state.rule(asked, () => response.destroyed);
      if (fault) return fault(request, response);
      const data = asked.input.map((input, index) => {
        const bytes = Buffer.from(Float32Array.from(vectorFor(asked, input)).buffer);
        return { object: "embedding", index, embedding: bytes.toString("base64") };
      });
      const usage = { prompt_tokens: asked.input.length, total_tokens: asked.input.length };
      const headers = { "content-type": "application/json", ...state.headers };
      return answerWith(200, JSON.stringify({ object: "list", data, usage }), headers)(request, response);
    });
    process.env.OPENAI_BASE_URL = `${server.url}/v1`;
    process.env.OPENAI_API_KEY = "sk-tests";
  });
  afterEach(() => {
    Object.assign(state, { requests: [], rule: () => undefined, headers: {} });
  });
  afterAll(async () => {
    for (const [name, value] of [
      ["OPENAI_BASE_URL", before.url],
      ["OPENAI_API_KEY", before.key],
    ] as const)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    await server.close();
  });

  return state;
}
