import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import OpenAI from "openai";

/** Listens on a free port of loopback and answers a client of the real SDK that does not retry by itself. */
export async function serveApp(app: { fetch(request: Request): Response | Promise<Response> }) {
  const { server, port } = await new Promise<{ server: ReturnType<typeof serve>; port: number }>(
    (resolve) => {
      const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, (info: AddressInfo) =>
        resolve({ server, port: info.port }),
      );
    },
  );
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    client: new OpenAI({ apiKey: "sk-test", baseURL: `${url}/v1`, maxRetries: 0 }),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
