import { metrics } from "@opentelemetry/api";
import { METER, METRICS } from "./catalog.ts";

// Looked up at each use: while metrics are off, this counter does nothing, and it does not matter which module was
// loaded first.
const counter = (name: "aftercommit.ingress.deliveries" | "aftercommit.ingress.messages") =>
  metrics.getMeter(METER).createCounter(name, METRICS[name]);

/** Counts one response of an ingress route. */
export function countDelivery(route: string, status: number): void {
  counter("aftercommit.ingress.deliveries").add(1, { route, status });
}

/** Counts the results of one request's messages. */
export function countMessages(
  route: string,
  outcomes: Record<"triggered" | "pending" | "ignored" | "rejected" | "unavailable", number>,
): void {
  for (const [outcome, messages] of Object.entries(outcomes))
    if (messages > 0) counter("aftercommit.ingress.messages").add(messages, { route, outcome });
}
