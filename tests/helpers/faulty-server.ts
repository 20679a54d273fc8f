import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { onFreePort } from "./on-free-port.ts";

export type Fault = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Accepts the request and never answers. */
export const hang: Fault = () => {};

/** Answers every request like this. */
export const answerWith =
  (
    status: number,
    body: string,
    headers: Record<string, string> = { "content-type": "application/json" },
  ): Fault =>
  (_, response) => {
    response.writeHead(status, headers).end(body);
  };

async function post(url: string, request: IncomingMessage) {
  const { authorization = "", "content-type": type = "" } = request.headers;
  const headers = { authorization, "content-type": type };
  return fetch(url + request.url, { method: "POST", headers, body: await text(request) });
}

/** Passes the request to another server, and its response back. */
export const passTo =
  (url: string): Fault =>
  async (request, response) => {
    const answer = await post(url, request);
    await answerWith(answer.status, await answer.text())(request, response);
  };

/** Passes the request to another server, and breaks the connection instead of returning its response. */
export const loseAnswerOf =
  (url: string): Fault =>
  async (request, response) => {
    await post(url, request);
    response.destroy();
  };

/** A server in place of Trigger.dev, on a free port. */
export async function startFaultyServer(fault: Fault) {
  const state = { requests: 0 };
  const server = createServer((request, response) => {
    state.requests += 1;
    void fault(request, response);
  });
  const { port, close } = await onFreePort(server);
  return { url: `http://127.0.0.1:${port}`, state, close };
}
