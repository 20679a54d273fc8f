import { PARTS, type Part, type Settings } from "./settings.ts";

/**
 * The variables that `npm run dev` and `npm run local` pass to a process; undefined if neither the user nor an emulator
 * set one.
 */
export type Variables = Readonly<Record<string, string | undefined>>;

export type GeneratedSecrets = Readonly<
  Record<"sequinWebhook" | "userDeletionWebhook" | "deletionReceipt", string>
>;

const LOOPBACK = "127.0.0.1";

export const TRIGGER_SECRET_KEY = "tr_dev_local";
export const TRIGGER_ACCESS_TOKEN = "tr_pat_local";

export const isSet = (env: Variables, ...names: string[]) => names.some((name) => env[name]?.trim());

/**
 * The emulators that are needed because no variable names a real service. The Sequin emulator belongs to the Postgres
 * emulator.
 */
export function partsNeeded(env: Variables): Part[] {
  const ownDatabase = isSet(env, "DATABASE_URL");
  const needed: Record<Part, boolean> = {
    postgres: !ownDatabase,
    sequin: !ownDatabase,
    trigger: !isSet(env, "TRIGGER_SECRET_KEY"),
    openai: !isSet(env, "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    mail: !isSet(env, "SMTP_URL"),
  };
  return PARTS.filter((part) => needed[part]);
}

export const localDatabaseUrl = ({ ports }: Settings) =>
  `postgres://postgres:postgres@${LOOPBACK}:${ports.postgres}/postgres`;

/** The variables with which the product finds the given parts. What the user set stays as it is. */
export function variablesFor(
  parts: readonly Part[],
  env: Variables,
  settings: Settings,
  secrets: GeneratedSecrets,
): Variables {
  const { ports, embeddingModel } = settings;
  const http = `http://${LOOPBACK}:${ports.http}`;
  const ofParts: Record<Part, Variables> = {
    postgres: {
      DATABASE_URL: localDatabaseUrl(settings),
      // Only for this database: in another, a user would count as clean once the emulated system was notified.
      USER_DELETION_WEBHOOK_URLS: `crm=${http}/local/external-system/crm/user-deleted`,
    },
    sequin: { APP_URL: `http://${LOOPBACK}:${ports.app}` },
    trigger: {
      TRIGGER_SECRET_KEY,
      TRIGGER_ACCESS_TOKEN,
      TRIGGER_PROJECT_REF: "proj_local",
      TRIGGER_API_URL: http,
    },
    // Each row stores the model's own name. If it were OpenAI's, OpenAI would make every row out of date.
    openai: { OPENAI_API_KEY: "local", OPENAI_BASE_URL: `${http}/v1`, EMBEDDING_MODEL: embeddingModel },
    mail: { SMTP_URL: `smtp://${LOOPBACK}:${ports.smtp}`, MAIL_FROM: "Aftercommit <no-reply@example.com>" },
  };
  const always = {
    PORT: String(ports.app),
    SEQUIN_WEBHOOK_SECRET: secrets.sequinWebhook,
    USER_DELETION_WEBHOOK_SECRET: secrets.userDeletionWebhook,
    DELETION_RECEIPT_KEY: secrets.deletionReceipt,
  };
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  return Object.assign({}, always, ...parts.map((part) => ofParts[part]), given);
}
