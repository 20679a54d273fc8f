import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTrigger } from "../../emulators/trigger/start.ts";
import { serve } from "./serve.ts";

/** A Trigger.dev API on a free port, without anything that executes runs. */
export async function startTriggerServer(secretKey: string) {
  const dataDir = await mkdtemp(join(tmpdir(), "trigger-server-"));
  let url = "";
  const trigger = await startTrigger({
    dataDir,
    url: () => url,
    secretKey,
    accessToken: "tr_pat_tests",
    log: () => {},
  });
  const http = await serve([trigger.app]);
  url = http.url;
  return {
    url,
    async close() {
      await http.close();
      await trigger.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
