import { optional } from "../env/env.ts";

const CLOUD = "https://cloud.trigger.dev";

// The cloud's dashboard has a different address than its API. A self-hosted server and the emulator serve both at one
// address.
function dashboard(): string {
  const url = new URL(optional("TRIGGER_API_URL") ?? CLOUD);
  if (url.hostname === "api.trigger.dev") return CLOUD;
  if (/^api\..*\.trigger\.dev$/.test(url.hostname)) url.hostname = url.hostname.slice("api.".length);
  return url.href.replace(/\/$/, "");
}

/** The URL of a run's page, as `trigger.dev dev` prints it; undefined without TRIGGER_PROJECT_REF. */
export function runUrl(runId: string): string | undefined {
  const project = optional("TRIGGER_PROJECT_REF");
  return (
    project && `${dashboard()}/projects/v3/${encodeURIComponent(project)}/runs/${encodeURIComponent(runId)}`
  );
}
