/** Next.js calls this once when a server starts: a missing variable stops the start instead of the first request. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { stopWithoutEnvironment } = await import("./packages/aftercommit/src/stop-without-environment.ts");
    stopWithoutEnvironment();
    const { optional } = await import("./packages/aftercommit/src/env.ts");
    if (optional("OTEL_EXPORTER_OTLP_ENDPOINT") === undefined) return;
    const { startMetrics } = await import("./packages/aftercommit/src/metrics/start.ts");
    startMetrics();
  }
}
