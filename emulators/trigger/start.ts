import type { Server as HttpServer } from "node:http";
import path from "node:path";
import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Hono } from "hono";
import { createApp } from "./app.ts";
import { type Clock, systemClock } from "./clock.ts";
import { createEngine } from "./engine/create-engine.ts";
import { defaultLimits, friendlyId, type Limits } from "./engine/engine.ts";
import { createRateLimit } from "./rate-limit.ts";
import { createConsole, type RunConsole } from "./run-console.ts";
import type { Server } from "./server.ts";
import { RunNotifications } from "./socket.ts";
import { LevelStore } from "./store/level-store.ts";
import { WorkSignal } from "./work-signal.ts";

export interface TriggerOptions {
  /** State is kept in `<dataDir>/trigger`, which only one process at a time may use. */
  dataDir: string;
  /** The public base URL. It is read when it is needed, so it may be unknown until the server listens. */
  url: () => string;
  /** The environment's secret key that the SDK and the CLI's processes send. */
  secretKey: string;
  /** The personal access token that the CLI sends first. */
  accessToken: string;
  log: Log;
  clock?: Clock;
  limits?: Partial<Limits>;
  /** The most API requests per minute, 1,500 in the cloud. Default: unlimited. */
  requestsPerMinute?: number;
}

export interface LocalTrigger extends RunConsole {
  /** The HTTP API, below /api, /engine, /otel, /realtime and /local/trigger. */
  app: Hono;
  /** Adds the socket that the CLI listens on. */
  attach(server: HttpServer): void;
  /** Ends open polls and streams and closes the files. */
  close(): Promise<void>;
}

/**
 * Starts the part of Trigger.dev that `trigger.dev dev` and `@trigger.dev/sdk` 4.8 use.
 * @throws if another process has the data folder open
 */
export async function startTrigger(options: TriggerOptions): Promise<LocalTrigger> {
  const { url, secretKey, accessToken, log } = options;
  const store = await LevelStore.open(path.join(options.dataDir, "trigger"));
  const work = new WorkSignal();
  const closing = new AbortController();
  const clock = options.clock ?? systemClock;
  const engine = await createEngine(store, {
    clock,
    log,
    limits: { ...defaultLimits, ...options.limits },
    wake: () => work.wake(),
    notify(run) {
      store.commit().then(
        () => notifications.notify(friendlyId(run)),
        (error: unknown) => log(`the state could not be stored: ${error}`),
      );
    },
  });
  const server: Server = {
    engine,
    store,
    work,
    url: () => url().replace(/\/$/, ""),
    secretKey,
    accessToken,
    rateLimit: createRateLimit(options.requestsPerMinute, clock),
    closing: closing.signal,
  };
  const notifications = new RunNotifications(server);
  return {
    app: createApp(server),
    attach: (httpServer) => notifications.attach(httpServer),
    ...createConsole(server),
    async close() {
      closing.abort();
      engine.timers.close();
      await store.close();
    },
  };
}
