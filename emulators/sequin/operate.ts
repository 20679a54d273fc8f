import type { Pool } from "pg";
import { requestBackfill } from "./capture/backfill.ts";
import { capturedTables } from "./capture/captured-tables.ts";
import { readByDelivery } from "./capture/change.ts";
import { parseTable, takesTable } from "./config/source.ts";
import { countDeliveries, type Delivery, type DeliveryFilter, listDeliveries } from "./deliveries.ts";
import { writeJson } from "./message/json.ts";
import type { Outlet } from "./outlets.ts";
import { reopen } from "./pending.ts";

/** What an operator can see and do. */
export type Operations = {
  sinks(): { name: string; status: string; url: string; waiting: number }[];
  /** The tables, as `schema.table`, whose rows the sink takes. Throws for an unknown sink. */
  tables(sinkName: string): Promise<string[]>;
  /** Newest first, including finished ones. */
  deliveries(limit?: number, filter?: DeliveryFilter): Promise<Delivery[]>;
  /** Undefined if it is no longer kept. */
  delivery(id: number): Promise<Delivery | undefined>;
  /** How many deliveries are kept per sink and status. */
  counts(): Promise<{ sink: string; status: Delivery["status"]; count: number }[]>;
  /** The message of a delivery as JSON text, or null if it is no longer kept. */
  message(id: number): Promise<string | null>;
  /** Sends a message again, a waiting one immediately; false if it is no longer kept. */
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
  const outletOf = (sinkName: string) => {
    const outlet = outlets.find(({ sink }) => sink.name === sinkName);
    if (!outlet) throw new Error(`no sink is called "${sinkName}"`);
    return outlet;
  };

  return {
    sinks: () =>
      outlets.map(({ sink, runner }) => ({
        name: sink.name,
        status: sink.status,
        url: sink.url,
        waiting: runner.queue.size,
      })),

    async tables(sinkName) {
      const { sink } = outletOf(sinkName);
      const tables = await capturedTables(pool, schema);
      return tables.filter((table) => takesTable(sink.source, parseTable(table)));
    },

    deliveries: (limit = 100, filter = {}) => listDeliveries(pool, schema, { limit, ...filter }),

    delivery: async (id) => (await listDeliveries(pool, schema, { limit: 1, id }))[0],

    counts: () => countDeliveries(pool, schema),

    async message(id) {
      const [delivery] = await listDeliveries(pool, schema, { limit: 1, id });
      const change = (await readByDelivery(pool, schema, [id])).get(id);
      const outlet = outlets.find(({ sink }) => sink.name === delivery?.sink);
      return change && outlet ? writeJson(await outlet.buildMessage(change)) : null;
    },

    async redeliver(id) {
      if (outlets.some(({ runner }) => runner.retryOne(id))) return true;
      const reopened = await reopen(pool, schema, id);
      // A delivery that is in flight or due goes out anyway.
      if (!reopened) return (await listDeliveries(pool, schema, { limit: 1, id })).length > 0;
      const { sink_id, ...message } = reopened;
      outlets.find((outlet) => outlet.id === sink_id)?.runner.add(message);
      return true;
    },

    async backfill(sinkName, table) {
      const outlet = outletOf(sinkName);
      const whole = { sortColumn: null, startPosition: null };
      await requestBackfill(pool, schema, { sinkId: outlet.id, table: parseTable(table), ...whole });
      wake();
    },

    retryNow: () => outlets.reduce((woken, { runner }) => woken + runner.retryNow(), 0),
  };
}
