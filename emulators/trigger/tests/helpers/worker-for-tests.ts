import { afterEach, beforeEach } from "vitest";
import { serve, type TestServer } from "./serve.ts";
import { Worker } from "./worker.ts";

/** A server for each surrounding test, and a worker that has declared its tasks there. */
export function workerForTests(
  tasks: Parameters<Worker["register"]>[0],
  options: Parameters<typeof serve>[0],
) {
  let server: TestServer;
  let worker: Worker;
  beforeEach(async () => {
    server = await serve(options);
    worker = new Worker(server.url);
    await worker.register(tasks);
  });
  afterEach(() => server.close());
  return {
    get server() {
      return server;
    },
    get worker() {
      return worker;
    },
  };
}
