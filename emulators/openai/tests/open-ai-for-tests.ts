import { Hono } from "hono";
import OpenAI from "openai";
import { afterAll, beforeAll, expect } from "vitest";
import { startOpenAI } from "../start.ts";
import { serveApp } from "./serve.ts";

export const model = "text-embedding-3-small";
const key = { authorization: "Bearer sk-test", "content-type": "application/json" };

/** The emulator with its hashing model for the tests of a file, called through the real SDK and by hand. */
export function openAIForTests() {
  const lines: string[] = [];
  let part: Awaited<ReturnType<typeof startOpenAI>>;
  let site: Awaited<ReturnType<typeof serveApp>>;

  beforeAll(async () => {
    part = await startOpenAI({ model: "hashing", log: (line) => lines.push(line) });
    const shared = new Hono().onError((_, c) => c.text("another part's error page", 500));
    site = await serveApp(shared.route("/", part.app));
  });

  afterAll(async () => {
    await site.close();
    await part.close();
  });

  const create = (body: Partial<OpenAI.EmbeddingCreateParams>) =>
    site.client.embeddings.create({ model, input: "a text", ...body });

  const embed = async (body: Partial<OpenAI.EmbeddingCreateParams>) =>
    (await create(body)).data.map((item) => item.embedding);

  async function one(body: Partial<OpenAI.EmbeddingCreateParams>): Promise<number[]> {
    const [vector] = await embed(body);
    if (vector === undefined) throw new Error("No vector came back");
    return vector;
  }

  const refusal = (body: Partial<OpenAI.EmbeddingCreateParams>) =>
    create(body).then(
      () => expect.fail("The call was answered"),
      (error: unknown) => {
        if (error instanceof OpenAI.APIError) return error;
        throw error;
      },
    );

  const post = (body: string, headers: Record<string, string> = key) =>
    fetch(`${site.url}/v1/embeddings`, { method: "POST", headers, body });

  return { lines, create, embed, one, refusal, post, stats: () => fetch(`${site.url}/local/openai/stats`) };
}
