import type { Server } from "./server.ts";

/** The environment variables of task processes. The telemetry endpoint must answer, or each run ends 5 s late. */
export function environmentVariables({ url, engine }: Server): Record<string, string> {
  const base = url();
  const own = [...engine.tables.envVars.values()].map(({ id, value }) => [id, value] as const);
  return {
    ...Object.fromEntries(own),
    TRIGGER_API_URL: base,
    TRIGGER_STREAM_URL: base,
    OTEL_EXPORTER_OTLP_ENDPOINT: `${base}/otel`,
    TRIGGER_OTEL_EXPORTER_OTLP_ENDPOINT: `${base}/otel`,
    TRIGGER_REALTIME_STREAM_VERSION: "v1",
    TRIGGER_WAIT_UNTIL_TIMEOUT_MS: "600000",
  };
}
