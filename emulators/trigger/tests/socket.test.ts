import { io, type Socket } from "socket.io-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { SECRET_KEY, serve, type TestServer } from "./helpers/serve.ts";
import { Worker } from "./helpers/worker.ts";

describe("the socket", () => {
  let server: TestServer;
  let worker: Worker;
  let socket: Socket;
  let notified: string[];
  beforeEach(async () => {
    server = await serve();
    worker = new Worker(server.url);
    notified = [];
    await worker.register([{ id: "job", retry: { maxAttempts: 2 } }]);
    socket = connect(SECRET_KEY);
    socket.on("run:notify", ({ version, run }) => notified.push(`${version} ${run.friendlyId}`));
    await until(() => socket.connected, { what: "the connection" });
  });
  afterEach(async () => {
    socket.close();
    await server.close();
  });

  function connect(key: string): Socket {
    const extraHeaders = { Authorization: `Bearer ${key}` };
    return io(`${server.url}/dev-worker`, { transports: ["websocket"], extraHeaders, forceNew: true });
  }

  /** An executing run that the socket has subscribed to, which the server may register a little later. */
  async function start() {
    const { id } = await worker.trigger("job");
    const held = await worker.start(await worker.take());
    socket.emit("run:subscribe", { version: "1", runFriendlyIds: [id] });
    return held;
  }

  test("tells who subscribed to a run that it is to be canceled", async () => {
    const { run } = await start();
    await until(async () => {
      await worker.call("POST", `/api/v2/runs/${run}/cancel`);
      return notified.length > 0;
    });
    expect(notified[0]).toBe(`1 ${run}`);
    expect((await worker.latest(run)).snapshot.executionStatus).toBe("PENDING_CANCEL");
  });

  test("tells that a wait has begun and ended", async () => {
    const { run } = await start();
    await until(async () => {
      const date = new Date(Date.now() + 10).toISOString();
      await worker.call("POST", `/engine/v1/runs/${run}/wait/duration`, { date });
      await until(async () => (await worker.latest(run)).snapshot.executionStatus === "EXECUTING");
      return notified.length > 1;
    });
    expect(new Set(notified)).toEqual(new Set([`1 ${run}`]));
  });

  test("keeps no server from ending in order", async () => {
    await server.close();
    await until(() => !socket.connected, { what: "the end of the connection" });
    server = await serve();
  });

  test("refuses another key", async () => {
    const stranger = connect("tr_dev_other");
    const error = await new Promise<Error>((resolve) => stranger.once("connect_error", resolve));
    expect(error.message).toBe("Invalid API key");
    stranger.close();
  });
});
