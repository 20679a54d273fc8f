import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";

/** Serves the parts' routes from one free port of loopback. */
export async function serve(parts: readonly Hono[], attach: (server: Server) => void = () => {}) {
  const app = new Hono();
  for (const part of parts) app.route("/", part);
  const server = createServer(getRequestListener(app.fetch));
  attach(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
