import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "../stack/free-ports.ts";

const script = new URL("../../scripts/postgres-17.sh", import.meta.url).pathname;
const run = async (...args: string[]) => (await promisify(execFile)(script, args)).stdout.trim();

/** A PostgreSQL 17 of one's own, which can be stopped, killed and started again at its address. */
export async function startCluster() {
  const [port = 0] = await freePorts(1);
  const folder = join(tmpdir(), `aftercommit-cluster-${port}`);
  const start = () => run("start", folder, String(port));
  return {
    url: await start(),
    start,
    stop: () => run("stop", folder),
    kill: () => run("kill", folder),
    remove: () => run("remove", folder),
  };
}
