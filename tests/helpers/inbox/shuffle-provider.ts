import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { onFreePort } from "../on-free-port.ts";
import { DIMENSIONS } from "./notes.ts";

const requestSchema = z.object({ input: z.array(z.string()) });

const workerOf = ({ headers }: IncomingMessage) => headers.authorization?.replace("Bearer ", "") ?? "";

/**
 * An OpenAI-compatible provider that recognizes its workers by their keys, and reports each request before and after it
 * answers.
 */
export async function startProvider(on: {
  asked: (worker: string, texts: readonly string[]) => void;
  answered: (worker: string) => void;
}) {
  const server = createServer(async (request, response) => {
    const { input } = requestSchema.parse(JSON.parse(await text(request)));
    const worker = workerOf(request);
    on.asked(worker, input);
    const embedding = Array.from({ length: DIMENSIONS }, () => 0.5);
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        data: input.map((_, index) => ({ index, embedding })),
        usage: { prompt_tokens: input.length },
      }),
      () => on.answered(worker),
    );
  });
  const { port, close } = await onFreePort(server);
  return { url: `http://127.0.0.1:${port}/v1`, close };
}
