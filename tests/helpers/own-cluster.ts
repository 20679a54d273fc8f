import { execFile } from "node:child_process";
import { appendFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "./free-ports.ts";

const script = new URL("../../scripts/postgres.sh", import.meta.url).pathname;
const execute = promisify(execFile);
const run = async (...args: string[]) => (await execute(script, args)).stdout.trim();

const folderOf = (port: number) => join(tmpdir(), `aftercommit-cluster-${port}`);

async function clusterOn(port: number) {
  const folder = folderOf(port);
  const start = () => run("start", folder, String(port));
  return {
    folder,
    port,
    url: await start(),
    start,
    stop: () => run("stop", folder),
    kill: () => run("kill", folder),
    remove: () => run("remove", folder),
  };
}

export type Cluster = Awaited<ReturnType<typeof clusterOn>>;

/** A dedicated PostgreSQL 17, which can be stopped, killed and restarted at the same address. */
export async function startCluster(): Promise<Cluster> {
  const [port = 0] = await freePorts(1);
  return clusterOn(port);
}

/** A hot standby of a cluster, started as a copy of it. This restarts the cluster. */
export async function startStandby(primary: Cluster): Promise<Cluster> {
  const [port = 0] = await freePorts(1);
  const folder = folderOf(port);
  await primary.stop();
  await execute("cp", ["-a", primary.folder, folder]);
  await writeFile(join(folder, "standby.signal"), "");
  const source = `host=127.0.0.1 port=${primary.port} user=postgres application_name=standby`;
  await appendFile(join(folder, "postgresql.auto.conf"), `primary_conninfo = '${source}'\n`);
  await primary.start();
  return clusterOn(port);
}
