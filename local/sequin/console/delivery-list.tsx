/** @jsxImportSource hono/jsx */

import { Action } from "@aftercommit/local-shared/elements/action.tsx";
import { Notice } from "@aftercommit/local-shared/elements/notice.tsx";
import { Empty } from "@aftercommit/local-shared/elements/section.tsx";
import { z } from "zod";
import type { Delivery } from "../deliveries.ts";
import { DeliveryTable } from "./delivery-table.tsx";
import { NOTICES } from "./notices.ts";
import { type SinkRow, Sinks } from "./sinks.tsx";

const STATUSES = ["pending", "delivered", "discarded"] as const;

/** What the address of the list asks for; what cannot be read is left out. */
export const DeliveryQuery = z.object({
  sink: z.string().min(1).optional().catch(undefined),
  status: z.enum(STATUSES).optional().catch(undefined),
  before: z.coerce.number().int().positive().optional().catch(undefined),
  notice: z.string().optional(),
});
export type DeliveryQuery = z.output<typeof DeliveryQuery>;

function isFiltered({ sink, status }: DeliveryQuery): boolean {
  return sink !== undefined || status !== undefined;
}

type Props = { sinks: SinkRow[]; deliveries: Delivery[]; older: number | undefined; query: DeliveryQuery };

export function DeliveryList({ sinks, deliveries, older, query }: Props) {
  const waiting = sinks.reduce((sum, sink) => sum + sink.waiting, 0);
  return (
    <>
      <div class="title">
        <h1>Deliveries</h1>
        {waiting > 0 && (
          <div class="actions">
            <Action to="/deliveries/retry" quiet>
              Retry all waiting now
            </Action>
          </div>
        )}
      </div>
      <Notice name={query.notice} texts={NOTICES} />
      <Sinks sinks={sinks} />
      <Filters sinks={sinks} query={query} />
      <section class="panel" aria-label="Deliveries">
        {deliveries.length > 0 ? (
          <DeliveryTable deliveries={deliveries} caption="Deliveries, newest first" />
        ) : (
          <Empty>
            {isFiltered(query)
              ? "No delivery matches."
              : "Nothing captured yet. A change of a table begins it."}
          </Empty>
        )}
      </section>
      <Pages older={older} query={query} />
    </>
  );
}

function Filters({ sinks, query }: Pick<Props, "sinks" | "query">) {
  return (
    <search aria-label="Filter deliveries">
      <form method="get" action="/deliveries" class="filters">
        <label>
          Sink
          <select name="sink">
            <option value="">All sinks</option>
            {sinks.map(({ name }) => (
              <option selected={name === query.sink}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          State
          <select name="status">
            <option value="">Any state</option>
            {STATUSES.map((status) => (
              <option value={status} selected={status === query.status}>
                {status}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="quiet">
          Filter
        </button>
        {isFiltered(query) && <a href="/deliveries">Clear</a>}
      </form>
    </search>
  );
}

function Pages({ older, query: { sink, status, before } }: Pick<Props, "older" | "query">) {
  const path = (cursor: Record<string, string>) => {
    const all = Object.entries({ sink, status, ...cursor });
    const given = all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
    return `/deliveries?${new URLSearchParams(given)}`;
  };
  if (before === undefined && older === undefined) return null;
  return (
    <nav class="pages" aria-label="Pages of deliveries">
      {before === undefined ? <span /> : <a href={path({})}>← Newest</a>}
      {older === undefined ? <span /> : <a href={path({ before: String(older) })}>Older →</a>}
    </nav>
  );
}
