import type { RealService } from "@aftercommit/local-shared/part.ts";
import type { Variables } from "./emulators.ts";
import type { Part } from "./settings.ts";

export type RealServices = Partial<Record<"trigger" | "openai" | "mail" | "externalSystem", RealService>>;

const CLOUD = "https://cloud.trigger.dev";

// The cloud's dashboard has a different address than its API; a self-hosted server serves both at one address.
function dashboard({ TRIGGER_API_URL, TRIGGER_PROJECT_REF }: Variables): RealService {
  const url = new URL(TRIGGER_API_URL ?? CLOUD);
  if (/^api\.(.+\.)?trigger\.dev$/.test(url.hostname)) url.hostname = url.hostname.replace(/^api\./, "");
  if (url.hostname === "trigger.dev") url.hostname = "cloud.trigger.dev";
  const project = TRIGGER_PROJECT_REF ? `projects/v3/${encodeURIComponent(TRIGGER_PROJECT_REF)}` : "";
  return { name: url.host, href: new URL(project, url).href };
}

function provider({ OPENAI_BASE_URL }: Variables): RealService {
  const host = OPENAI_BASE_URL ? new URL(OPENAI_BASE_URL).host : "api.openai.com";
  return host === "api.openai.com"
    ? { name: "OpenAI", href: "https://platform.openai.com/usage" }
    : { name: host };
}

/** Only hosts: a path may contain a secret. */
function hosts(urls: string): string {
  return [...new Set([...urls.matchAll(/https?:\/\/([^\s,/?#]+)/g)].map(([, host = ""]) => host))].join(", ");
}

/** The user's own services, for each part that does not run here. */
export function realServices(parts: readonly Part[], variables: Variables): RealServices {
  const {
    TRIGGER_SECRET_KEY,
    OPENAI_API_KEY,
    SMTP_URL,
    USER_DELETION_WEBHOOK_URLS: systems = "",
  } = variables;
  const isTold = /\/local\/external-system\//.test(systems);
  return {
    ...(!parts.includes("trigger") && TRIGGER_SECRET_KEY && { trigger: dashboard(variables) }),
    ...(!parts.includes("openai") && OPENAI_API_KEY && { openai: provider(variables) }),
    ...(!parts.includes("mail") && SMTP_URL && { mail: { name: new URL(SMTP_URL).host } }),
    ...(systems && !isTold && { externalSystem: { name: hosts(systems) || systems } }),
  };
}
