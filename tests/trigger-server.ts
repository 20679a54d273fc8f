import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHttpServer } from "../local/http-server.ts";
import { startTrigger } from "../local/trigger/start.ts";

/** A Trigger.dev API on a free port, with nothing that takes runs. */
export async function startTriggerServer(secretKey: string) {
  const dataDir = await mkdtemp(join(tmpdir(), "trigger-server-"));
  const http = await startHttpServer(0);
  const trigger = await startTrigger({
    dataDir,
    url: () => http.url,
    secretKey,
    accessToken: "tr_pat_tests",
    log: () => {},
  });
  http.app.route("/", trigger.app);
  return {
    url: http.url,
    async close() {
      await http.close();
      await trigger.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
