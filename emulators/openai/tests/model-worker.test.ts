import { afterAll, beforeAll, expect, it } from "vitest";
import { createApp } from "../app.ts";
import { type Embedder, startModelWorker } from "../model-worker.ts";
import { serveApp } from "./serve.ts";

const script = new URL("./dying-worker.mjs", import.meta.url);
const lines: string[] = [];
const closing = new AbortController();
let embedder: Embedder;
let site: Awaited<ReturnType<typeof serveApp>>;

beforeAll(async () => {
  const log = (line: string) => lines.push(line);
  embedder = await startModelWorker({ model: "hashing", log, script });
  site = await serveApp(createApp({ embedder, model: "hashing", log, closing: closing.signal }));
});

afterAll(async () => {
  await embedder.close();
  await site.close();
});

const embed = (input: string, maxRetries = 0) =>
  site.client
    .withOptions({ maxRetries })
    .embeddings.create({ model: "text-embedding-3-small", input })
    .then(({ data }) => data.length);

it.each(["throw", "exit"])(
  "a worker that dies (%s) fails the calls in flight with 500 and is started again",
  async (last) => {
    lines.length = 0;
    const inFlight = await Promise.allSettled([embed("wait"), embed("wait"), embed(last)]);
    const failed = { status: "rejected", reason: { status: 500, type: "server_error" } };
    expect(inFlight).toMatchObject([failed, failed, failed]);
    expect(await embed("a")).toBe(1);
    expect(lines.filter((line) => line.startsWith("model worker"))).toEqual([
      expect.stringMatching(/^model worker ended: (out of memory|exit code 7)$/),
      "model worker started again",
    ]);
    expect(lines.filter((line) => line.startsWith("answered 500"))).toHaveLength(3);
  },
);

it("a worker that cannot start is an error immediately", async () => {
  const missing = startModelWorker({
    model: "hashing",
    log: () => {},
    script: new URL("./no-worker.mjs", import.meta.url),
  });
  await expect(missing).rejects.toThrow("The model worker ended");
});

it("a closed worker fails the calls in flight and takes no more", async () => {
  const own = await startModelWorker({ model: "hashing", log: () => {}, script });
  const inFlight = expect(own.embed(["wait"])).rejects.toThrow("The model worker ended");
  await own.close();
  await inFlight;
  await expect(own.embed(["a"])).rejects.toThrow("closed");
});

it("the real model loads where its WebAssembly takes longer than its weights", async () => {
  const slow = await startModelWorker({
    model: "universal-sentence-encoder-lite",
    log: () => {},
    script: new URL("./slow-backend.mjs", import.meta.url),
  });
  const { vectors } = await slow.embed(["a dog"]);
  expect(vectors.map(({ length }) => length)).toEqual([512]);
  await slow.close();
});
