import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DeliverOptions, deliver } from "../delivery/deliver.ts";
import { Connections } from "../delivery/exchange.ts";
import { type Answer, ok, type Receiver, startReceiver, status } from "./receiver.ts";

let receiver: Receiver;
let connections: Connections;
beforeEach(async () => {
  receiver = await startReceiver();
  connections = new Connections(4);
});
afterEach(async () => {
  connections.close();
  await receiver.close();
});

function send(options: Partial<DeliverOptions> = {}, json = '{"n":1}') {
  return deliver(
    json,
    {
      url: `${receiver.url}/hook`,
      headers: { authorization: "Bearer s", "x-secret": "t" },
      timeoutMs: 200,
      quickRetryMs: 20,
      signal: new AbortController().signal,
      ...options,
    },
    connections,
  );
}
const json =
  (code: number, body: string, type = "application/json"): Answer =>
  (_, response) =>
    void response.writeHead(code, { "content-type": type }).end(body);
const gzipped =
  (body: string): Answer =>
  (_, response) =>
    void response.writeHead(200, { "content-encoding": "gzip" }).end(body);
/** Gives these responses in turn, and repeats the last one. */
function inTurn(...answers: Answer[]): void {
  receiver.answer = (received, response) =>
    answers[Math.min(receiver.requests.length, answers.length) - 1]?.(received, response);
}

test("the request is a POST with exactly the headers of Sequin's client and the configured ones", async () => {
  await send();
  const [request] = receiver.requests;
  expect(request?.method).toBe("POST");
  expect(request?.url).toBe("/hook");
  expect(request?.body).toBe('{"n":1}');
  expect(request?.headers).toEqual({
    accept: "application/json",
    "accept-encoding": "zstd, gzip",
    authorization: "Bearer s",
    "content-length": "7",
    "content-type": "application/json",
    host: new URL(receiver.url).host,
    "user-agent": "req/0.5.15",
    "x-secret": "t",
  });
});

test("a configured header wins over the client's own", async () => {
  await send({ headers: { "user-agent": "me", "content-type": "application/vnd.me+json" } });
  expect(receiver.requests[0]?.headers).toMatchObject({
    "user-agent": "me",
    "content-type": "application/vnd.me+json",
  });
});

test("content-encoding: gzip compresses the body, another value only lies about it", async () => {
  await send({ headers: { "content-encoding": "GZIP".toLowerCase() } });
  await send({ headers: { "content-encoding": "br" } });
  expect(receiver.requests.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":1}']);
  expect(receiver.requests[0]?.headers["content-length"]).toBe(String(gzipSync('{"n":1}').length));
  expect(receiver.requests[1]?.headers["content-length"]).toBe("7");
});

describe("acknowledgement", () => {
  test.each([200, 201, 202, 204, 299])("%d acknowledges", async (code) => {
    receiver.answer = status(code);
    expect(await send()).toMatchObject({ acknowledged: true, status: code });
  });

  test.each([
    ["valid JSON", json(200, '{"id":"run_1"}')],
    ["no body", json(200, "")],
    ["plain text", json(200, "not json", "text/plain")],
  ])("a 200 with %s acknowledges", async (_, answer) => {
    receiver.answer = answer;
    expect(await send()).toMatchObject({ acknowledged: true, status: 200 });
  });

  test.each([
    ["a 200 with broken JSON", json(200, "{oops")],
    ["a 200 with broken JSON of a +json type", json(200, "{oops", "application/problem+json; charset=utf-8")],
    ["a 400 with broken JSON", json(400, "{oops")],
    ["a 200 with broken gzip", gzipped("{}")],
  ])("%s is stuck", async (_, answer) => {
    receiver.answer = answer;
    expect(await send()).toMatchObject({ acknowledged: false, stuck: expect.stringMatching(/^a body that/) });
  });

  test("a gzipped JSON answer is read", async () => {
    receiver.answer = (_, response) =>
      void response
        .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
        .end(gzipSync('{"ok":true}'));
    expect(await send()).toEqual({ acknowledged: true, status: 200, answer: '{"ok":true}' });
  });
});

describe("the retry inside a delivery", () => {
  test.each([408, 429, 500, 502, 503, 504])("%d is tried once more, and then has failed", async (code) => {
    receiver.answer = status(code);
    expect(await send()).toMatchObject({ acknowledged: false, status: code });
    expect(receiver.requests).toHaveLength(2);
  });

  test.each([400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 501, 505, 507])(
    "%d is not tried again",
    async (code) => {
      receiver.answer = status(code);
      expect(await send()).toMatchObject({ acknowledged: false, status: code });
      expect(receiver.requests).toHaveLength(1);
    },
  );

  test("it can succeed, after 85 to 115 % of its delay", async () => {
    inTurn(status(500), ok);
    expect(await send({ quickRetryMs: 200 })).toMatchObject({ acknowledged: true });
    const [first, second] = receiver.requests;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(165);
  });

  test.each([429, 503])("Retry-After of a %d takes the place of the delay", async (code) => {
    inTurn(status(code, { "retry-after": "1" }), ok);
    expect(await send()).toMatchObject({ acknowledged: true });
    const [first, second] = receiver.requests;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test("Retry-After of another status is not looked at", async () => {
    inTurn(status(500, { "retry-after": "60" }), ok);
    expect(await send()).toMatchObject({ acknowledged: true });
  });

  test("a server that stays silent is called again while the first call may still run", async () => {
    inTurn(() => {}, ok);
    expect(await send()).toMatchObject({ acknowledged: true });
    expect(receiver.requests).toHaveLength(2);
  });

  test("the time limit is for each silence, not for the whole answer", async () => {
    receiver.answer = async (_, response) => {
      response.writeHead(200);
      for (let part = 0; part < 6; part++) {
        response.write("x");
        await wait(60);
      }
      response.end();
    };
    expect(await send()).toEqual({ acknowledged: true, status: 200, answer: "xxxxxx" });
  });

  test("a connection that is closed under it is tried once more", async () => {
    receiver.answer = (_, response) => void response.destroy();
    expect(await send()).toMatchObject({
      acknowledged: false,
      status: null,
      answer: expect.stringContaining("ECONNRESET"),
    });
    expect(receiver.requests).toHaveLength(2);
  });

  test("a refused connection fails with its reason", async () => {
    const gone = await startReceiver();
    await gone.close();
    expect(await send({ url: gone.url })).toMatchObject({
      acknowledged: false,
      status: null,
      answer: expect.stringContaining("ECONNREFUSED"),
    });
  });
});

test("a certificate that does not verify is a failure that is stuck", async () => {
  const pem = (name: string) =>
    readFileSync(new URL(`../../../tests/fixtures/tls/${name}.pem`, import.meta.url));
  const server = createServer({ key: pem("self-signed-key"), cert: pem("self-signed") }).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  expect(await send({ url: `https://localhost:${port}/` })).toMatchObject({
    acknowledged: false,
    status: null,
    stuck: "a certificate that does not verify",
  });
  server.close();
});

describe("redirects", () => {
  test.each([301, 302, 303, 307, 308])(
    "%d repeats the POST with its body, and the final answer counts",
    async (code) => {
      inTurn(status(code, { location: "/there" }), ok);
      expect(await send()).toMatchObject({ acknowledged: true });
      expect(receiver.requests[1]).toMatchObject({ method: "POST", url: "/there", body: '{"n":1}' });
      expect(receiver.requests[1]?.headers.authorization).toBe("Bearer s");
    },
  );

  test("another host gets the other headers but not authorization", async () => {
    const other = await startReceiver();
    receiver.answer = status(307, { location: `${other.url}/x` });
    expect(await send()).toMatchObject({ acknowledged: true });
    expect(other.requests[0]?.headers.authorization).toBeUndefined();
    expect(other.requests[0]?.headers["x-secret"]).toBe("t");
    await other.close();
  });

  test("ten are followed, the eleventh is a failure that is stuck", async () => {
    receiver.answer = status(302, { location: "/again" });
    expect(await send()).toMatchObject({ acknowledged: false, stuck: "more than 10 redirects" });
    expect(receiver.requests).toHaveLength(11);
  });

  test("one without a location is a failure", async () => {
    receiver.answer = status(302);
    expect(await send()).toMatchObject({ acknowledged: false, status: 302 });
  });
});
