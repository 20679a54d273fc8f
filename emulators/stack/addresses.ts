import type { Variables } from "./emulators.ts";
import { realServices } from "./real-services.ts";
import type { Part, Settings } from "./settings.ts";

type Row = readonly [name: string, address: string, remark: string];

function hideSecret(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (!parsed.password || ["127.0.0.1", "localhost"].includes(parsed.hostname)) return url;
  parsed.password = "…";
  return parsed.href;
}

const SHOWN: readonly (readonly [Part, string])[] = [
  ["trigger", "runs"],
  ["sequin", "deliveries"],
  ["mail", "mails"],
];

const shownOf = (parts: readonly Part[]) =>
  SHOWN.flatMap(([part, what]) => (parts.includes(part) ? what : [])).join(", ");

/** One row per service: its address, and the variable or the file that decides it. */
export function addressRows(
  parts: readonly Part[],
  variables: Variables,
  { ports, dataDir }: Settings,
): Row[] {
  const real = realServices(parts, variables);
  const http = `http://127.0.0.1:${ports.http}`;
  const local = (part: Part) => (parts.includes(part) ? "local" : "yours");
  const rows: (Row | undefined)[] = [
    variables.DATABASE_URL
      ? ["Postgres", hideSecret(variables.DATABASE_URL), `DATABASE_URL (${local("postgres")})`]
      : undefined,
    parts.includes("trigger") ? ["Trigger.dev", http, "TRIGGER_API_URL (local)"] : undefined,
    real.trigger?.href ? ["Trigger.dev", real.trigger.href, "TRIGGER_SECRET_KEY (yours)"] : undefined,
    parts.includes("openai") || real.openai
      ? [
          "OpenAI",
          variables.OPENAI_BASE_URL ?? "https://api.openai.com/v1",
          `OPENAI_BASE_URL (${local("openai")})`,
        ]
      : undefined,
    variables.SMTP_URL ? ["SMTP", hideSecret(variables.SMTP_URL), `SMTP_URL (${local("mail")})`] : undefined,
    real.externalSystem
      ? ["Deletions", real.externalSystem.name, "USER_DELETION_WEBHOOK_URLS (yours)"]
      : undefined,
    parts.includes("sequin") ? ["Sequin", "sequin.yaml", "local"] : undefined,
    parts.length > 0 ? ["Console", http, shownOf(parts)] : undefined,
    parts.length > 0 ? ["Data", dataDir, "LOCAL_DATA_DIR"] : undefined,
  ];
  return rows.filter((row) => row !== undefined);
}
