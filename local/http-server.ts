import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";

export type LocalHttpServer = {
  /** Where the parts mount their routes. */
  app: Hono;
  server: Server;
  url: string;
  close(): Promise<void>;
};

/** Listens on loopback with one server for every HTTP part of the local stack. Port 0 takes any. */
export async function startHttpServer(port: number): Promise<LocalHttpServer> {
  const app = new Hono();
  const server = createServer(getRequestListener(app.fetch));
  server.listen({ port, host: "127.0.0.1" });
  await once(server, "listening");
  const address = server.address();
  const bound = typeof address === "object" && address ? address.port : port;
  return {
    app,
    server,
    url: `http://127.0.0.1:${bound}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
