import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startHttpServer } from "@aftercommit/local-shared/http-server.ts";
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

/** The server on a free loopback port, with a new data folder unless one is given. */
export async function serve(
  options: {
    clock?: Clock;
    dataDir?: string;
    limits?: Partial<Limits>;
    requestsPerMinute?: number;
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
    requestsPerMinute: options.requestsPerMinute,
  });
  const http = await startHttpServer(options.port ?? 0, trigger.app);
  trigger.attach(http.server);
  url = http.url;
  return {
    url,
    dataDir,
    trigger,
    lines,
    async close() {
      await http.close();
      await trigger.close();
      if (!options.dataDir) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
