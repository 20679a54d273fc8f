import { parseWebhooks } from "../deletions/webhook-list.ts";
import { isOnThisMachine } from "./on-this-machine.ts";

const SECRETS = [
  "SEQUIN_WEBHOOK_SECRET",
  "SEQUIN_WEBHOOK_SECRET_PREVIOUS",
  "SEQUIN_API_TOKEN",
  "TRIGGER_SECRET_KEY",
  "TRIGGER_ACCESS_TOKEN",
  "OPENAI_API_KEY",
  "USER_DELETION_WEBHOOK_SECRET",
  "DASHBOARD_PASSWORD",
] as const;
const WITH_PASSWORD = ["DATABASE_URL", "SMTP_URL"] as const;

// A shorter one would take words out of the text, and is none.
const SHORTEST = 8;

function passwordsIn(text: string): string[] {
  if (!URL.canParse(text) || isOnThisMachine(text)) return [];
  const { password } = new URL(text);
  return [password, decodeURIComponent(password)];
}

function secretsOf(env: NodeJS.ProcessEnv): string[] {
  const { targets } = parseWebhooks(env.USER_DELETION_WEBHOOK_URLS?.trim() ?? "none");
  const secrets = [
    ...SECRETS.map((name) => env[name]?.trim() ?? ""),
    ...WITH_PASSWORD.flatMap((name) => passwordsIn(env[name]?.trim() ?? "")),
    ...targets.map(({ url }) => url),
  ];
  return secrets.filter(({ length }) => length >= SHORTEST);
}

/** A text as it may be shown: others' words may repeat what they were given. */
export function withoutSecrets(text: string, env: NodeJS.ProcessEnv = process.env): string {
  return secretsOf(env).reduce((shown, secret) => shown.replaceAll(secret, "…"), text);
}
