import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Pool } from "pg";
import { type Change, readByDelivery } from "./capture/change.ts";
import type { Installed } from "./capture/install.ts";
import type { Config, Sink } from "./config/load.ts";
import type { Ledger } from "./delivery/ledger.ts";
import { DEFAULT_WORKERS, type Pace, SEQUIN_PACE } from "./delivery/pace.ts";
import { SinkRunner } from "./delivery/runner.ts";
import { buildMessage, type Origin } from "./message/build.ts";
import type { Json } from "./message/json.ts";
import { TypeCatalog } from "./message/types.ts";
import { RecentChanges } from "./recent-changes.ts";

/** A running sink. */
export type Outlet = {
  id: string;
  sink: Sink;
  runner: SinkRunner;
  recent: RecentChanges;
  buildMessage(change: Change): Promise<Json>;
};

export type Parts = { pool: Pool; schema: string; ledger: Ledger; config: Config; installed: Installed };

export function openOutlets(
  options: { databaseUrl: string; log: Log; workers?: number; pace?: Partial<Pace> },
  { pool, schema, ledger, config, installed }: Parts,
): Outlet[] {
  const types = new TypeCatalog(pool);
  const { pathname, hostname } = new URL(options.databaseUrl);
  const database: Origin["database"] = {
    id: installed.databaseId,
    name: config.database.name,
    annotations: config.database.annotations,
    database: decodeURIComponent(pathname.slice(1)),
    hostname,
  };
  return installed.sinks.map(({ id, sink }) => {
    const origin: Origin = { consumer: { id, name: sink.name, annotations: sink.annotations }, database };
    const build = async (change: Change) => {
      await types.learn(change.columns.map((column) => column.type));
      return buildMessage(change, sink, origin, types);
    };
    const recent = new RecentChanges();
    const runner = new SinkRunner({
      sink,
      ledger,
      log: options.log,
      workers: options.workers ?? DEFAULT_WORKERS,
      pace: { ...SEQUIN_PACE, ...options.pace },
      loadChanges: (ids) => recent.take(ids, (missing) => readByDelivery(pool, schema, missing)),
      buildMessage: build,
    });
    return { id, sink, runner, recent, buildMessage: build };
  });
}
