export type Metric = { unit: string; description: string };

/** Every metric that the app sends: its counters. docs/operations.md says what to do about each; a test compares the two. */
export const METRICS = {
  "aftercommit.ingress.deliveries": {
    unit: "{delivery}",
    description: "Requests to the ingress routes, by route and answered status",
  },
  "aftercommit.ingress.messages": {
    unit: "{message}",
    description: "Messages in them, by route and outcome: triggered, pending, ignored, rejected, unavailable",
  },
} as const satisfies Record<string, Metric>;

export const METER = "aftercommit";
