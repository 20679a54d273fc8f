import { spawn } from "node:child_process";
import { Client } from "pg";
import { roleSettingsSql } from "../../packages/aftercommit/src/db/session.ts";
import { freePorts } from "./free-ports.ts";
import type { Cluster } from "./own-cluster.ts";
import { databaseUrl, runOn } from "./real-postgres.ts";
import { until } from "./until.ts";

const script = new URL("../../scripts/postgres.sh", import.meta.url).pathname;

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** A PgBouncer in transaction mode in front of a cluster, whose superuser gets the settings that sessions need there. */
export async function startPooler(cluster: Cluster) {
  const database = "postgres";
  const inAllDatabases = roleSettingsSql({ role: "postgres", database }).map((statement) =>
    statement.replace(` in database "${database}"`, ""),
  );
  await runOn(cluster.url, inAllDatabases);
  const [port = 0] = await freePorts(1);
  const pooler = spawn(script, ["pooler", cluster.folder, String(port)], { stdio: "ignore" });
  const url = new URL(databaseUrl(cluster.url, database));
  url.port = String(port);
  await until(() => answers(url.href), { what: "PgBouncer", everyMs: 100 });
  return { port, stop: () => pooler.kill() };
}
