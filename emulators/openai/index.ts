import type { RunningPart } from "@aftercommit/local-shared/part.ts";
import { embeddingPages } from "./console.tsx";
import { type OpenAIOptions, startOpenAI } from "./start.ts";

export { absentEmbeddingPages as absent } from "./console.tsx";

/** Starts `POST /v1/embeddings` with a local model, and a card that counts its requests. */
export async function start(options: OpenAIOptions): Promise<RunningPart> {
  const { app, stats, close } = await startOpenAI(options);
  return { app, close, pages: embeddingPages(stats) };
}
