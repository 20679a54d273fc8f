import type { Pool } from "pg";
import { type Change, readUnrouted } from "./capture/change.ts";
import { type Route, recordRoutes } from "./capture/route.ts";
import { sequenceChanges } from "./capture/sequence.ts";
import { takesTable } from "./config/source.ts";
import { groupKey } from "./message/group.ts";
import { readRow } from "./message/row.ts";
import type { Outlet } from "./outlets.ts";

const PAGE = 200;
/**
 * A page fills a batch of the sink with the largest batches: sinks that take the page's messages send them together.
 */
const pageFor = (outlets: Outlet[]) => Math.max(PAGE, ...outlets.map(({ sink }) => sink.batchSize));
/** Sequin's buffer per sink. Beyond it, changes wait in the outbox as they would in the replication slot. */
const BUFFER = 50_000;

/** Moves newly committed changes from the outbox to the sinks that take them. Returns how many it moved. */
export async function takeIn(pool: Pool, schema: string, outlets: Outlet[]): Promise<number> {
  if (outlets.some(({ runner }) => runner.queue.size >= BUFFER)) return 0;
  await sequenceChanges(pool, schema);
  const changes = await readUnrouted(pool, schema, pageFor(outlets));
  if (changes.length === 0) return 0;
  const routes = changes.flatMap((change) => routesOf(change, outlets));
  const byId = new Map(changes.map((change) => [change.id, change]));
  const recorded = await recordRoutes(
    pool,
    schema,
    changes.map((change) => change.id),
    routes,
  );
  const groups = new Map(routes.map((route) => [`${route.changeId} ${route.sinkId}`, route.group]));
  for (const delivery of recorded) {
    const outlet = outlets.find(({ id }) => id === delivery.sink_id);
    const change = byId.get(delivery.change_id);
    if (!outlet || !change) continue;
    outlet.recent.put(delivery.id, change);
    const group = groups.get(`${delivery.change_id} ${delivery.sink_id}`) ?? null;
    outlet.runner.add({ id: delivery.id, group, read: change.action === "read", deliverCount: 0 });
  }
  return changes.length;
}

function routesOf(change: Change, outlets: Outlet[]): Route[] {
  const table = { schema: change.table_schema, name: change.table_name };
  const row = readRow(change);
  return outlets
    .filter(({ id, sink }) => {
      if (change.action === "truncate" || sink.status === "disabled") return false;
      if (change.action === "read") return change.backfill_sink_id === id;
      return takesTable(sink.source, table) && sink.actions.includes(change.action);
    })
    .map(({ id, sink }) => ({ changeId: change.id, sinkId: id, group: groupKey(sink, change, row) }));
}
