import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { embedByHashing } from "./hashing.ts";
import {
  type Embedded,
  type Input,
  type Job,
  MAX_INPUT_TOKENS,
  MAX_REQUEST_TOKENS,
  type Refused,
  type Reply,
} from "./protocol.ts";
import { readInput } from "./read-input.ts";
import { loadSentenceEncoder } from "./sentence-encoder.ts";

const { model } = z
  .object({ model: z.enum(["universal-sentence-encoder-lite", "hashing"]) })
  .parse(workerData);
const embed = model === "hashing" ? embedByHashing : await loadSentenceEncoder();

say({ kind: "ready" });
// The first text takes ten times as long as the next ones: it should be nobody's.
await embed("ready");

// An error ends the thread: after one, WebAssembly memory may be broken, and a fresh thread loads in a moment.
parentPort?.on("message", async ({ id, inputs }: Job) => say({ id, ...(await answer(inputs)) }));

async function answer(inputs: Input[]): Promise<Embedded | Refused> {
  const texts: string[] = [];
  let tokens = 0;
  for (const input of inputs) {
    const read = readInput(input);
    if (read === undefined) return { kind: "refused", reason: "unknown_token" };
    if (read.tokens > MAX_INPUT_TOKENS) {
      return { kind: "refused", reason: "input_too_long", tokens: read.tokens };
    }
    texts.push(read.text);
    tokens += read.tokens;
  }
  if (tokens > MAX_REQUEST_TOKENS) return { kind: "refused", reason: "request_too_long", tokens };
  const vectors: Float32Array[] = [];
  for (const text of texts) vectors.push(await embed(text));
  return { kind: "embedded", vectors, tokens };
}

function say(reply: Reply): void {
  parentPort?.postMessage(reply);
}
