import { once } from "node:events";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";

const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/**
 * Listens on loopback with one server for every HTTP part of the local stack. Port 0 uses any free port. It accepts
 * only requests whose host is loopback: a page of another site whose name resolves to 127.0.0.1 gets nothing (DNS
 * rebinding).
 */
export async function startHttpServer(port: number, app: Hono) {
  const server = createServer(
    getRequestListener((request) =>
      LOOPBACK.test(request.headers.get("host") ?? "")
        ? app.fetch(request)
        : Response.json({ error: "Only for this machine" }, { status: 403 }),
    ),
  );
  // All of them: `closeAllConnections` leaves out those that became WebSockets, such as a connected CLI's.
  const connections = new Set<Socket>();
  server.on("connection", (connection) => {
    connections.add(connection);
    connection.once("close", () => connections.delete(connection));
  });
  server.listen({ port, host: "127.0.0.1" });
  await once(server, "listening");
  const address = server.address();
  const bound = typeof address === "object" && address ? address.port : port;
  return {
    server,
    url: `http://127.0.0.1:${bound}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const connection of connections) connection.destroy();
      await closed;
    },
  };
}
