import { captureInApp } from "./capture/capture-in-app.ts";
import { declarationsOf } from "./declare/declarations.ts";
import { optional } from "./env/env.ts";
import { startMetrics } from "./metrics/start.ts";
import { stopWithoutEnvironment } from "./stop-without-environment.ts";

/**
 * Runs once when a server starts. If a variable that the declarations require is missing, it ends the process with a
 * message that names the variable and says where to get it. With OTEL_EXPORTER_OTLP_ENDPOINT, it starts sending
 * metrics. With CAPTURE_IN_APP=on, it starts capturing. `config` is the module aftercommit.config.ts.
 *
 * @example
 * // instrumentation.ts
 * export async function register() {
 *   if (process.env.NEXT_RUNTIME === "nodejs")
 *     (await import("aftercommit/next")).startApp(await import("./aftercommit.config"));
 * }
 */
export function startApp(config: object): void {
  const declarations = declarationsOf(config);
  stopWithoutEnvironment(declarations);
  if (optional("OTEL_EXPORTER_OTLP_ENDPOINT") !== undefined) startMetrics();
  if (optional("CAPTURE_IN_APP") === "on") void captureInApp(declarations);
}
