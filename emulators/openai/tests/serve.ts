import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import OpenAI from "openai";
import { onFreePort } from "../../../tests/helpers/on-free-port.ts";

/** Listens on a free loopback port and returns a client of the real SDK that does not retry by itself. */
export async function serveApp(app: { fetch(request: Request): Response | Promise<Response> }) {
  const { port, close } = await onFreePort(createServer(getRequestListener((request) => app.fetch(request))));
  const url = `http://127.0.0.1:${port}`;
  return { url, close, client: new OpenAI({ apiKey: "sk-test", baseURL: `${url}/v1`, maxRetries: 0 }) };
}
