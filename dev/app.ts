import type { Variables } from "@aftercommit/local-stack/emulators.ts";
import type { Settings } from "@aftercommit/local-stack/settings.ts";
import { say } from "@aftercommit/local-stack/terminal.ts";
import { superviseChild } from "./child.ts";
import { ingressRoutes } from "./ingress-routes.ts";
import { nextCommand } from "./processes.ts";
import { until } from "./until.ts";

/** Asks for each ingress route once: `next dev` compiles a route at its first request. By GET, which is no delivery. */
async function compiled(port: number): Promise<boolean> {
  try {
    for (const route of ingressRoutes())
      await fetch(`http://127.0.0.1:${port}${route}`, { signal: AbortSignal.timeout(60_000) });
    return true;
  } catch {
    return false;
  }
}

/** Has the page compiled too, so that the first look at it need not wait. */
export async function openPage(port: number): Promise<void> {
  await fetch(`http://127.0.0.1:${port}`, { signal: AbortSignal.timeout(60_000) }).catch(() => {});
}

/** Runs `next dev`. `serves` resolves when the ingress routes answer. */
export function startApp(variables: Variables, settings: Settings) {
  const child = superviseChild({
    name: "next",
    ...nextCommand(variables, settings),
    onLine: (line) => say("next", line),
    // It has nothing to save. On SIGTERM it starts a process for its telemetry, switched off or not, that outlives it.
    stopSignal: "SIGKILL",
  });
  until(() => compiled(settings.ports.app), { what: "Next.js answers", timeoutMs: 120_000 }).then(
    () => child.serving(),
    (error: unknown) => say("dev", String(error)),
  );
  return child;
}
