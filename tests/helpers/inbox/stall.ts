import type { Client } from "pg";
import { until } from "../until.ts";
import { startSession } from "./notes.ts";

export const pidOf = async (client: Client): Promise<number> =>
  Number((await client.query("select pg_backend_pid() as pid")).rows[0].pid);

/** Resolves when the commit of a backend is flushed and waits for a standby: until that ends, no one sees it. */
export const waitsForStandby = (watcher: Client, pid: number) =>
  until(
    async () => {
      const waiting = "select from pg_stat_activity where pid = $1 and wait_event = 'SyncRep'";
      return (await watcher.query(waiting, [pid])).rowCount;
    },
    { what: "commit that waits for a standby" },
  );

/** From here on, each commit with `synchronous_commit = on` waits for a standby that does not exist. */
export async function stallCommits(watcher: Client, url: string): Promise<void> {
  await watcher.query("alter system set synchronous_standby_names = 'nobody'");
  await watcher.query("select pg_reload_conf()");
  // The server notices the setting a moment later.
  const probe = await startSession(url);
  const pid = await pidOf(probe);
  let isStalled = false;
  const probed = (async () => {
    while (!isStalled) await probe.query("select pg_logical_emit_message(true, 'probe', '')");
  })();
  await waitsForStandby(watcher, pid);
  isStalled = true;
  await watcher.query("select pg_cancel_backend($1)", [pid]);
  await probed;
  await probe.end();
}

export async function endStall(watcher: Client): Promise<void> {
  await watcher.query("alter system reset synchronous_standby_names");
  await watcher.query("select pg_reload_conf()");
}
