import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { embedByHashing } from "./hashing.ts";
import {
  type Answer,
  type Counted,
  type Embedded,
  type Input,
  type Job,
  MAX_INPUT_TOKENS,
  MAX_REQUEST_TOKENS,
  type Refused,
  type Reply,
} from "./protocol.ts";
import { textOf, tokensOf } from "./read-input.ts";
import { loadSentenceEncoder } from "./sentence-encoder.ts";

const { model } = z
  .object({ model: z.enum(["universal-sentence-encoder-lite", "hashing"]) })
  .parse(workerData);
const embed = model === "hashing" ? embedByHashing : await loadSentenceEncoder();

say({ kind: "ready" });
// The first text takes ten times as long as the next ones, so it is not a caller's.
await embed("ready");

// An error ends the thread: WebAssembly memory may be broken after one, and a new thread loads in a moment.
parentPort?.on("message", async ({ id, kind, inputs }: Job) => {
  const answer: Answer = kind === "count" ? count(inputs) : await embedAll(inputs);
  say({ id, ...answer });
});

function count(inputs: Input[]): Counted | Refused {
  let sum = 0;
  for (const input of inputs) {
    const tokens = tokensOf(input);
    if (tokens === undefined) return { kind: "refused", reason: "unknown_token" };
    if (tokens > MAX_INPUT_TOKENS) return { kind: "refused", reason: "input_too_long", tokens };
    sum += tokens;
  }
  if (sum > MAX_REQUEST_TOKENS) return { kind: "refused", reason: "request_too_long", tokens: sum };
  return { kind: "counted", tokens: sum };
}

async function embedAll(inputs: Input[]): Promise<Embedded> {
  const vectors: Float32Array[] = [];
  for (const input of inputs) vectors.push(await embed(textOf(input)));
  return { kind: "embedded", vectors };
}

function say(reply: Reply): void {
  parentPort?.postMessage(reply);
}
