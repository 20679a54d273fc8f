export type Metric = { unit: string; description: string };

/** Every metric that the app and capture send. docs/operations.md says what to do about each; a test compares the two. */
export const METRICS = {
  "aftercommit.ingress.deliveries": {
    unit: "{delivery}",
    description: "Requests to the ingress routes, by route and answered status",
  },
  "aftercommit.ingress.messages": {
    unit: "{message}",
    description: "Messages in them, by route and outcome: triggered, pending, ignored, rejected, unavailable",
  },
  "aftercommit.capture.lag.size": {
    unit: "By",
    description: "WAL that capture has not confirmed, by slot",
  },
  "aftercommit.capture.lag.time": {
    unit: "s",
    description: "How long ago the last position was current that capture has stored, by slot",
  },
} as const satisfies Record<string, Metric>;

export const METER = "aftercommit";
