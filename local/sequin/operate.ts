import type { Pool } from "pg";
import { requestBackfill } from "./capture/backfill.ts";
import { readByDelivery } from "./capture/change.ts";
import { parseTable } from "./config/source.ts";
import { type Delivery, listDeliveries, reopen } from "./deliveries.ts";
import { writeJson } from "./message/json.ts";
import type { Outlet } from "./outlets.ts";

/** What an operator can look at and do. */
export type Operations = {
  sinks(): { name: string; status: string; waiting: number }[];
  /** The newest first, finished ones among them. */
  deliveries(limit?: number): Promise<Delivery[]>;
  /** The message of a delivery as JSON text, or null if it is no longer kept. */
  message(id: number): Promise<string | null>;
  /** Sends a message again, a waiting one at once; false if it is no longer kept. */
  redeliver(id: number): Promise<boolean>;
  /** Sends every row of `schema.table` to the sink as `read` messages. Throws for an unknown sink. */
  backfill(sinkName: string, table: string): Promise<void>;
  /** Ends the backoff of every waiting message, as Sequin's console can. Returns how many there were. */
  retryNow(): number;
};

export function operate({
  pool,
  schema,
  outlets,
  wake,
}: {
  pool: Pool;
  schema: string;
  outlets: Outlet[];
  wake: () => void;
}): Operations {
  return {
    sinks: () =>
      outlets.map(({ sink, runner }) => ({
        name: sink.name,
        status: sink.status,
        waiting: runner.queue.size,
      })),

    deliveries: (limit = 100) => listDeliveries(pool, schema, { limit }),

    async message(id) {
      const [delivery] = await listDeliveries(pool, schema, { limit: 1, id });
      const change = (await readByDelivery(pool, schema, [id])).get(id);
      const outlet = outlets.find(({ sink }) => sink.name === delivery?.sink);
      return change && outlet ? writeJson(await outlet.buildMessage(change)) : null;
    },

    async redeliver(id) {
      if (outlets.some(({ runner }) => runner.retryOne(id))) return true;
      const reopened = await reopen(pool, schema, id);
      if (!reopened) return false;
      const { sink_id, ...entry } = reopened;
      outlets.find((outlet) => outlet.id === sink_id)?.runner.add({ id, ...entry });
      return true;
    },

    async backfill(sinkName, table) {
      const outlet = outlets.find(({ sink }) => sink.name === sinkName);
      if (!outlet) throw new Error(`no sink is called "${sinkName}"`);
      const whole = { sortColumn: null, startPosition: null };
      await requestBackfill(pool, schema, { sinkId: outlet.id, table: parseTable(table), ...whole });
      wake();
    },

    retryNow: () => outlets.reduce((woken, { runner }) => woken + runner.retryNow(), 0),
  };
}
