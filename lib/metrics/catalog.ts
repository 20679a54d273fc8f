export type Metric = { kind: "gauge" | "counter"; unit: string; description: string };

/** Every metric of the app. docs/operations.md says what to do about each; a test compares the two. */
export const METRICS = {
  "aftercommit.embedding.lag": {
    kind: "gauge",
    unit: "s",
    description: "From a change's commit to its embedding, of the last 1,000 changes of a day, by quantile",
  },
  "aftercommit.posts": {
    kind: "gauge",
    unit: "{post}",
    description: "Posts by state: embedded, pending, stale, empty, failed",
  },
  "aftercommit.embedding.budget.tokens": {
    kind: "gauge",
    unit: "{token}",
    description: "What is left of this minute's tokens, by model",
  },
  "aftercommit.embedding.budget.blocked": {
    kind: "gauge",
    unit: "s",
    description: "For how long the provider still asks everybody to wait, by model",
  },
  "aftercommit.queue.queued": { kind: "gauge", unit: "{run}", description: "Runs that wait, by queue" },
  "aftercommit.queue.running": { kind: "gauge", unit: "{run}", description: "Runs at work, by queue" },
  "aftercommit.replication_slot.retained": {
    kind: "gauge",
    unit: "By",
    description: "WAL that the database keeps for a slot",
  },
  "aftercommit.replication_slot.active": {
    kind: "gauge",
    unit: "1",
    description: "1 while somebody reads the slot, else 0",
  },
  "aftercommit.deletions.open": {
    kind: "gauge",
    unit: "{deletion}",
    description: "Deletions that are not complete",
  },
  "aftercommit.deletions.oldest": {
    kind: "gauge",
    unit: "s",
    description: "Age of the oldest deletion that is not complete; 0 without one",
  },
  "aftercommit.ingress.deliveries": {
    kind: "counter",
    unit: "{delivery}",
    description: "Requests to the ingress routes, by route and answered status",
  },
  "aftercommit.ingress.messages": {
    kind: "counter",
    unit: "{message}",
    description: "Messages in them, by route and outcome: triggered, ignored, rejected, unavailable",
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

export const METER = "aftercommit";
