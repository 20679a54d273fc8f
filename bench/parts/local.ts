import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../tests/helpers/free-ports.ts";
import { startChild } from "./child.ts";

/** Starts parts of the local stack with `npm run local`, in another process, and deletes their data afterwards. */
export async function startLocal(folder: string, parts: readonly string[], env: Record<string, string> = {}) {
  const [http = 0, postgres = 0, smtp = 0] = await freePorts(3);
  const dataDir = await mkdtemp(join(tmpdir(), "bench-"));
  const ports = { LOCAL_PORT: `${http}`, LOCAL_POSTGRES_PORT: `${postgres}`, LOCAL_SMTP_PORT: `${smtp}` };
  const child = await startChild("npm", ["run", "--silent", "local", "--", ...parts], {
    cwd: folder,
    env: { NODE_ENV: "development", LOCAL_DATA_DIR: dataDir, ...ports, ...env },
    ready: /^ready/m,
  });
  return {
    url: `http://127.0.0.1:${http}`,
    databaseUrl: `postgres://postgres:postgres@127.0.0.1:${postgres}/postgres`,
    output: child.output,
    async stop() {
      await child.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
