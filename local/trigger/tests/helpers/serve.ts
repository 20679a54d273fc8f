import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { getRequestListener } from "@hono/node-server";
import type { Clock } from "../../clock.ts";
import type { Limits } from "../../engine/engine.ts";
import { type LocalTrigger, startTrigger } from "../../start.ts";

export const SECRET_KEY = "tr_dev_local";
export const ACCESS_TOKEN = "tr_pat_local";

export interface TestServer {
  url: string;
  dataDir: string;
  trigger: LocalTrigger;
  lines: string[];
  close(): Promise<void>;
}

/** The server on a free port of loopback, with a data folder of its own unless one is given. */
export async function serve(
  options: {
    clock?: Clock;
    dataDir?: string;
    limits?: Partial<Limits>;
    port?: number;
    log?: (line: string) => void;
  } = {},
): Promise<TestServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(path.join(tmpdir(), "local-trigger-")));
  const lines: string[] = [];
  let url = "";
  const trigger = await startTrigger({
    dataDir,
    url: () => url,
    secretKey: SECRET_KEY,
    accessToken: ACCESS_TOKEN,
    log: options.log ?? ((line) => lines.push(line)),
    clock: options.clock,
    limits: options.limits,
  });
  const server = createServer(getRequestListener(trigger.app.fetch));
  trigger.attach(server);
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${portOf(server)}`;
  return {
    url,
    dataDir,
    trigger,
    lines,
    async close() {
      await trigger.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (!options.dataDir) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen");
  return address.port;
}
