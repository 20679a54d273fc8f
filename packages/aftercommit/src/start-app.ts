import { optional } from "./env/env.ts";
import { startMetrics } from "./metrics/start.ts";
import { stopWithoutEnvironment } from "./stop-without-environment.ts";

/**
 * Runs once when a server starts. If a required variable is missing, it ends the process with a message that names the
 * variable and says where to get it. With OTEL_EXPORTER_OTLP_ENDPOINT, it starts sending metrics.
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
