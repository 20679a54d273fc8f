import type { Log } from "@aftercommit/local-shared/log.ts";
import { Pool } from "pg";
import { install } from "./capture/install.ts";
import { listen } from "./capture/listen.ts";
import { loadConfig } from "./config/load.ts";
import type { Environment } from "./config/substitute.ts";
import { Ledger } from "./delivery/ledger.ts";
import type { Pace } from "./delivery/pace.ts";
import { initialBackfills } from "./initial-backfills.ts";
import { runLoop } from "./loop.ts";
import { type Operations, operate } from "./operate.ts";
import { type Outlet, openOutlets } from "./outlets.ts";
import { readPending } from "./pending.ts";
import { Watch } from "./watch.ts";

/** How long running requests may take to end when the emulator is closed. */
const CLOSE_GRACE_MS = 2000;
const CONNECT_TIMEOUT_MS = 5000;

export type SequinOptions = {
  databaseUrl: string;
  /** The sequin.yaml. */
  configPath: string;
  /** The variables for `${VAR}` in it. */
  env: Environment;
  log: Log;
  /** The schema of the emulator's tables. */
  schema?: string;
  /** Requests in parallel per sink. */
  workers?: number;
  pace?: Partial<Pace>;
};

export type Sequin = Operations & { close(): Promise<void> };

/**
 * An emulator of Sequin. It captures row changes with triggers, in the changing transaction, and delivers them to the
 * webhooks of sequin.yaml. It cannot see `pg_logical_emit_message`, so transaction annotations are null. When it
 * starts, it ends the backoff of waiting messages, so that no one waits minutes for an app that was down. Throws
 * `ConfigError`, and if the database cannot be reached or another emulator serves it.
 */
export async function startSequin(options: SequinOptions): Promise<Sequin> {
  const { databaseUrl, log, schema = "sequin_local" } = options;
  const config = await loadConfig(options.configPath, options.env, log);
  let wake = () => {};
  const listener = await listen(databaseUrl, schema, () => wake(), log);
  const pool = new Pool({
    connectionString: databaseUrl,
    max: 2,
    application_name: schema,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  pool.on("error", () => {});
  try {
    const ledger = new Ledger(pool, schema, log);
    const installed = await install(pool, schema, config);
    for (const name of installed.forgotten) log(`${name} is no longer in sequin.yaml: forgotten`);
    const outlets = openOutlets(options, { pool, schema, ledger, config, installed });
    const watch = new Watch(pool, schema, outlets, config.database.publication, log);
    await watch.update();
    await initialBackfills(pool, schema, outlets);
    await resumePending(pool, schema, outlets, log);
    const loop = runLoop({ pool, schema, outlets, watch, log });
    wake = loop.wake;
    const shutDown = async () => {
      await loop.close();
      await Promise.all(outlets.map(({ runner }) => runner.close(CLOSE_GRACE_MS)));
      await ledger.close();
      await listener.close();
      await pool.end();
    };
    let closing: Promise<void> | undefined;
    return {
      ...operate({ pool, schema, outlets, wake }),
      close() {
        closing ??= shutDown();
        return closing;
      },
    };
  } catch (error) {
    await Promise.allSettled([listener.close(), pool.end()]);
    throw error;
  }
}

async function resumePending(pool: Pool, schema: string, outlets: Outlet[], log: Log): Promise<void> {
  const waiting = await readPending(pool, schema);
  for (const { sink_id, ...entry } of waiting) {
    outlets.find(({ id }) => id === sink_id)?.runner.add(entry);
  }
  if (waiting.length > 0) log(`${waiting.length} waiting messages, tried again now`);
}
