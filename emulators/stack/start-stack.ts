import { createConsole } from "@aftercommit/local-console/console.tsx";
import { startHttpServer } from "@aftercommit/local-shared/http-server.ts";
import type { RunningPart } from "@aftercommit/local-shared/part.ts";
import { Hono } from "hono";
import { PARTS } from "./settings.ts";
import { type Name, pagesOf, type StackOptions, startersFor } from "./starters.ts";

export type Stack = {
  /** Starts what needs the database's tables and the app: Sequin's capture and delivery. */
  connect(): Promise<void>;
  close(): Promise<void>;
};

/** Starts the given parts of the local stack and resolves when they serve. Call `connect` later. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { parts, settings, log } = options;
  const starters = startersFor(options);
  const running = new Map<Name, RunningPart>();
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0)) await closer();
  };

  const start = async () => {
    const app = new Hono();
    const names: Name[] = [...PARTS.filter((part) => parts.includes(part)), "externalSystem"];
    for (const name of names) {
      const part: RunningPart = await starters[name]();
      running.set(name, part);
      // What connects last ends first, while the others still answer it.
      if (!part.connect) closers.unshift(part.close);
      if (part.app) app.route("/", part.app);
    }
    app.route("/", createConsole(pagesOf(running, options), log("console")));
    const http = await startHttpServer(settings.ports.http, app);
    closers.unshift(http.close);
    for (const part of running.values()) part.attach?.(http.server);
  };

  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async connect() {
      for (const part of running.values()) {
        if (!part.connect) continue;
        await part.connect();
        closers.unshift(part.close);
      }
    },
    close,
  };
}
