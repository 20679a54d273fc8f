import { optional } from "./env/env.ts";
import { startMetrics } from "./metrics/start.ts";
import { stopWithoutEnvironment } from "./stop-without-environment.ts";

/**
 * What a server does once as it starts: without a variable that it needs it ends, and says which and where to get it;
 * with OTEL_EXPORTER_OTLP_ENDPOINT it sends its metrics.
 *
 * @example
 * // instrumentation.ts
 * export async function register() {
 *   if (process.env.NEXT_RUNTIME === "nodejs") (await import("aftercommit/next")).startApp();
 * }
 */
export function startApp(): void {
  stopWithoutEnvironment();
  if (optional("OTEL_EXPORTER_OTLP_ENDPOINT") !== undefined) startMetrics();
}
