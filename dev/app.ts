import type { Variables } from "@aftercommit/local-stack/emulators.ts";
import type { Settings } from "@aftercommit/local-stack/settings.ts";
import { say } from "@aftercommit/local-stack/terminal.ts";
import { superviseChild } from "./child.ts";
import { ingressRoutes } from "./ingress-routes.ts";
import { nextCommand } from "./processes.ts";
import { until } from "./until.ts";

/**
 * Requests each ingress route once, because `next dev` compiles a route on its first request. With GET, which is not a
 * delivery.
 */
async function compiled(port: number): Promise<boolean> {
  try {
    for (const route of ingressRoutes())
      await fetch(`http://127.0.0.1:${port}${route}`, { signal: AbortSignal.timeout(60_000) });
    return true;
  } catch {
    return false;
  }
}

/** Compiles the page, too, so that its first visitor does not wait. */
export async function openPage(port: number): Promise<void> {
  await fetch(`http://127.0.0.1:${port}`, { signal: AbortSignal.timeout(60_000) }).catch(() => {});
}

/** Runs `next dev`. `serves` resolves when the ingress routes answer. */
export function startApp(variables: Variables, settings: Settings) {
  const child = superviseChild({
    name: "next",
    ...nextCommand(variables, settings),
    onLine: (line) => say("next", line),
    // It has nothing to save. On SIGTERM it starts a telemetry process that outlives it, even with telemetry off.
    stopSignal: "SIGKILL",
  });
  until(() => compiled(settings.ports.app), { what: "Next.js answers", timeoutMs: 120_000 }).then(
    () => child.serving(),
    (error: unknown) => say("dev", String(error)),
  );
  return child;
}
