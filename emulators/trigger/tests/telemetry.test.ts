import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serve, type TestServer } from "./helpers/serve.ts";
import { Worker } from "./helpers/worker.ts";

describe("telemetry of a run", () => {
  let server: TestServer;
  let worker: Worker;
  beforeAll(async () => {
    server = await serve();
    worker = new Worker(server.url);
    await worker.register([{ id: "job" }]);
  });
  afterAll(() => server.close());

  const string = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const logs = (run: string, ...messages: string[]) => ({
    resourceLogs: [
      {
        resource: { attributes: [string("service.name", "tasks")] },
        scopeLogs: [
          {
            logRecords: messages.map((stringValue, n) => ({
              timeUnixNano: `${1_700_000_000_000 + n}000000`,
              severityText: "INFO",
              body: { stringValue },
              attributes: [string("$metadata.ctx.run.id", run), string("post", "7")],
            })),
          },
        ],
      },
    ],
  });

  test("can be read with the run: what it logged, and its spans, in their order", async () => {
    const { id } = await worker.trigger("job");
    const spans = [
      {
        name: "Attempt 1",
        startTimeUnixNano: "1699999999999000000",
        endTimeUnixNano: "1700000000100000000",
        attributes: [string("$metadata.ctx.run.id", id)],
      },
    ];
    const begun = spans.map((span) => ({
      ...span,
      attributes: [...span.attributes, { key: "$span.partial", value: { boolValue: true } }],
    }));
    const traces = { resourceSpans: [{ scopeSpans: [{ spans: [...begun, ...spans] }] }] };
    expect(await worker.call("POST", "/otel/v1/logs", logs(id, "first", "second"))).toMatchObject({
      status: 200,
      json: {},
    });
    expect((await worker.call("POST", "/otel/v1/traces", traces)).status).toBe(200);
    const details = await server.trigger.retrieveRun(id);
    expect(details?.logs).toEqual([
      expect.objectContaining({ kind: "span", message: "Attempt 1", durationMs: 101 }),
      expect.objectContaining({ kind: "log", message: "first", level: "INFO", attributes: { post: "7" } }),
      expect.objectContaining({ kind: "log", message: "second", at: 1_700_000_000_001 }),
    ]);
  });

  test("is kept for the first 200 lines of a run", async () => {
    const { id } = await worker.trigger("job");
    const many = Array.from({ length: 300 }, (_, n) => `line ${n}`);
    await worker.call("POST", "/otel/v1/logs", logs(id, ...many));
    expect((await server.trigger.retrieveRun(id))?.logs).toHaveLength(200);
  });

  test("is answered immediately whatever it is, because an exporter that waits delays its run", async () => {
    const compressed = await fetch(`${server.url}/otel/v1/logs`, {
      method: "POST",
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
      body: gzipSync(JSON.stringify(logs("run_unknown", "x"))),
    });
    expect(compressed.status).toBe(200);
    for (const [path, body, type] of [
      ["logs", "{", "application/json"],
      ["traces", '{"resourceSpans":7}', "application/json"],
      ["metrics", "{}", "application/json"],
      ["logs", "\u0001\u0002", "application/x-protobuf"],
    ])
      expect(
        (await worker.call("POST", `/otel/v1/${path}`, body, { "content-type": type ?? "" })).status,
      ).toBe(200);
  });
});
