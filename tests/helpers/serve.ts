import type { Server } from "node:http";
import { Hono } from "hono";
import { startHttpServer } from "../../emulators/shared/http-server.ts";

/** Serves several apps as one, on a free loopback port. */
export async function serve(apps: readonly Hono[], attach: (server: Server) => void = () => {}) {
  const all = new Hono();
  for (const app of apps) all.route("/", app);
  const { server, url, close } = await startHttpServer(0, all);
  attach(server);
  return { url, close };
}
