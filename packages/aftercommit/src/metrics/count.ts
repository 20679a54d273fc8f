import { metrics } from "@opentelemetry/api";
import { METER, METRICS } from "./catalog.ts";

// Asked for at each use: while metrics are off this is a counter that does nothing, and it does not matter which module
// was loaded first.
const counter = (name: keyof typeof METRICS) => metrics.getMeter(METER).createCounter(name, METRICS[name]);

/** Counts one answered request of an ingress route. */
export function countDelivery(route: string, status: number): void {
  counter("aftercommit.ingress.deliveries").add(1, { route, status });
}

/** Counts what the messages of one request came to. */
export function countMessages(
  route: string,
  outcomes: Record<"triggered" | "pending" | "ignored" | "rejected" | "unavailable", number>,
): void {
  for (const [outcome, messages] of Object.entries(outcomes))
    if (messages > 0) counter("aftercommit.ingress.messages").add(messages, { route, outcome });
}
