import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Pool } from "pg";
import { openBackfills, readPage } from "./capture/backfill.ts";
import { pruneFinished, vacuum } from "./delivery/prune.ts";
import { takeIn } from "./intake.ts";
import type { Outlet } from "./outlets.ts";
import type { Watch } from "./watch.ts";

/** Between two checks of the database without a notification. Sequin's own idle check is every 10 s. */
const IDLE_MS = 1000;
const PRUNE_EVERY_MS = 5000;
/** How many finished deliveries per sink are kept to look at. */
const KEPT = 200;
/** How many changes are forgotten before a VACUUM frees their space. */
const VACUUM_AFTER = 1000;
/** A backfill waits while its sink has this many messages, or batches, to send. */
const ENOUGH_READS = 1000;
const ENOUGH_BATCHES = 5;
const READ_PAGE = 200;

export type Loop = { wake(): void; close(): Promise<void> };

/** Keeps triggers, intake and backfills running until it is closed. A failure is logged and retried. */
export function runLoop(options: {
  pool: Pool;
  schema: string;
  outlets: Outlet[];
  watch: Watch;
  log: Log;
}): Loop {
  const { pool, schema, outlets, watch, log } = options;
  let closed = false;
  let woken = false;
  let interrupt = () => {};
  let watchAt = Date.now() + IDLE_MS;
  let dead = 0;
  let pruneAt = Date.now() + PRUNE_EVERY_MS;

  const wake = () => {
    woken = true;
    interrupt();
  };
  const pause = () =>
    new Promise<void>((resolve) => {
      if (woken || closed) return resolve();
      const timer = setTimeout(resolve, IDLE_MS);
      interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function backfill(): Promise<boolean> {
    for (const { id, sink_id, table_schema, table_name } of await openBackfills(pool, schema)) {
      const outlet = outlets.find((candidate) => candidate.id === sink_id);
      if (!outlet) continue;
      const { batchSize } = outlet.sink;
      if (outlet.runner.queue.size >= Math.max(ENOUGH_READS, ENOUGH_BATCHES * batchSize)) continue;
      if (!watch.allowsBackfill({ schema: table_schema, name: table_name })) continue;
      const read = await readPage(pool, schema, id, Math.max(READ_PAGE, batchSize));
      if (read === null) continue;
      log(`${outlet.sink.name}: read ${read} rows of ${table_schema}.${table_name}`);
      return true;
    }
    return false;
  }

  async function turn(): Promise<boolean> {
    if (Date.now() >= watchAt) {
      await watch.update();
      watchAt = Date.now() + IDLE_MS;
    }
    if (Date.now() >= pruneAt) {
      dead += await pruneFinished(pool, schema, KEPT);
      if (dead >= VACUUM_AFTER) {
        await vacuum(pool, schema);
        dead = 0;
      }
      pruneAt = Date.now() + PRUNE_EVERY_MS;
    }
    return (await takeIn(pool, schema, outlets)) > 0 || (await backfill());
  }

  async function run(): Promise<void> {
    let failing = false;
    while (!closed) {
      woken = false;
      try {
        const more = await turn();
        failing = false;
        if (more) continue;
      } catch (error) {
        if (!failing && !closed)
          log(`${error instanceof Error ? error.message : String(error)}; trying again`);
        failing = true;
      }
      await pause();
    }
  }

  const running = run();
  return {
    wake,
    async close() {
      closed = true;
      interrupt();
      await running;
    },
  };
}
