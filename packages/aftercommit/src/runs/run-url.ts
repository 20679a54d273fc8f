import { optional } from "../env/env.ts";

const CLOUD = "https://cloud.trigger.dev";

// The cloud has its dashboard beside its API; a self-hosted server, and the local one, serve both at one address.
function dashboard(): string {
  const url = new URL(optional("TRIGGER_API_URL") ?? CLOUD);
  if (url.hostname === "api.trigger.dev") return CLOUD;
  if (/^api\..*\.trigger\.dev$/.test(url.hostname)) url.hostname = url.hostname.slice("api.".length);
  return url.href.replace(/\/$/, "");
}

/** Where a run can be looked at, as `trigger.dev dev` prints it; undefined without TRIGGER_PROJECT_REF. */
export function runUrl(runId: string): string | undefined {
  const project = optional("TRIGGER_PROJECT_REF");
  return (
    project && `${dashboard()}/projects/v3/${encodeURIComponent(project)}/runs/${encodeURIComponent(runId)}`
  );
}
