import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { onFreePort } from "./on-free-port.ts";

/** Serves apps as one, on a free port of loopback. */
export async function serve(apps: readonly Hono[], attach: (server: Server) => void = () => {}) {
  const all = new Hono();
  for (const app of apps) all.route("/", app);
  const server = createServer(getRequestListener(all.fetch));
  attach(server);
  const { port, close } = await onFreePort(server);
  return { url: `http://127.0.0.1:${port}`, close };
}
