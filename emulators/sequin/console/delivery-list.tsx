/** @jsxImportSource hono/jsx */

import { Action } from "@aftercommit/local-shared/elements/action.tsx";
import { Choice, Filters } from "@aftercommit/local-shared/elements/filters.tsx";
import { Notice } from "@aftercommit/local-shared/elements/notice.tsx";
import { listPath, PageLinks } from "@aftercommit/local-shared/elements/page-links.tsx";
import { Empty } from "@aftercommit/local-shared/elements/section.tsx";
import { z } from "zod";
import type { Delivery } from "../deliveries.ts";
import { DeliveryTable } from "./delivery-table.tsx";
import { NOTICES } from "./notices.ts";
import { type SinkRow, Sinks } from "./sinks.tsx";

const STATUSES = ["pending", "delivered", "discarded"] as const;

/** The query of the list. Invalid parameters are ignored. */
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
      <DeliveryFilters sinks={sinks} query={query} />
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

function DeliveryFilters({ sinks, query }: Pick<Props, "sinks" | "query">) {
  return (
    <Filters path="/deliveries" of="deliveries" isSet={isFiltered(query)}>
      <Choice
        label="Sink"
        name="sink"
        any="All sinks"
        values={sinks.map(({ name }) => name)}
        chosen={query.sink}
      />
      <Choice label="State" name="status" any="Any state" values={STATUSES} chosen={query.status} />
    </Filters>
  );
}

function Pages({ older, query: { sink, status, before } }: Pick<Props, "older" | "query">) {
  const path = (cursor: { before?: string }) => listPath("/deliveries", { sink, status, ...cursor });
  return (
    <PageLinks
      of="deliveries"
      newer={before === undefined ? undefined : { text: "Newest", href: path({}) }}
      older={older === undefined ? undefined : path({ before: String(older) })}
    />
  );
}
