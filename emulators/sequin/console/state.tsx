/** @jsxImportSource hono/jsx */

import { Badge } from "@aftercommit/local-shared/elements/badge.tsx";
import { Time } from "@aftercommit/local-shared/elements/time.tsx";
import type { Delivery } from "../deliveries.ts";

/** A stuck delivery holds up its row. One that has failed is worse off than one that waits for its first attempt. */
export function DeliveryState({ delivery: { status, deliverCount, stuck } }: { delivery: Delivery }) {
  if (status === "delivered") return <Badge tone="good">Delivered</Badge>;
  if (status === "discarded") return <Badge tone="bad">Discarded</Badge>;
  if (stuck) return <Badge tone="bad">Stuck</Badge>;
  return deliverCount > 0 ? <Badge tone="bad">Failing</Badge> : <Badge tone="waiting">Waiting</Badge>;
}

export function NextTry({ delivery: { status, nextTryAt } }: { delivery: Delivery }) {
  if (status !== "pending") return <>–</>;
  if (!nextTryAt || nextTryAt.getTime() <= Date.now()) return <>in its turn</>;
  return <Time at={nextTryAt} />;
}

/** The table and the key of its row, or only the table if the sink has no groups. */
export function subjectOf({ action, table, group }: Delivery): string {
  return `${action} ${group ?? table}`;
}
