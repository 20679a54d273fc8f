import { PARTS, type Part, type Settings } from "./settings.ts";

/** What `npm run dev` and `npm run local` give to a process: no value where neither the user nor an emulator set one. */
export type Variables = Readonly<Record<string, string | undefined>>;

export type GeneratedSecrets = Readonly<
  Record<"sequinWebhook" | "userDeletionWebhook" | "deletionReceipt", string>
>;

const LOOPBACK = "127.0.0.1";

export const TRIGGER_SECRET_KEY = "tr_dev_local";
export const TRIGGER_ACCESS_TOKEN = "tr_pat_local";

export const isSet = (env: Variables, ...names: string[]) => names.some((name) => env[name]?.trim());

/**
 * The parts of the local stack that no variable has a real service for. The local Sequin belongs to the local
 * Postgres; beside another database it starts only with LOCAL_SEQUIN=on.
 */
export function partsNeeded(env: Variables, settings: Settings): Part[] {
  const ownDatabase = isSet(env, "DATABASE_URL");
  const needed: Record<Part, boolean> = {
    postgres: !ownDatabase,
    sequin: settings.sequin === "on" || (settings.sequin === undefined && !ownDatabase),
    trigger: !isSet(env, "TRIGGER_SECRET_KEY"),
    openai: !isSet(env, "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    mail: !isSet(env, "SMTP_URL"),
  };
  return PARTS.filter((part) => needed[part]);
}

export const localDatabaseUrl = ({ ports }: Settings) =>
  `postgres://postgres:postgres@${LOOPBACK}:${ports.postgres}/postgres`;

/** The variables by which the product finds the given parts; what the user set stays as it is. */
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
      // Of this database only: in another a user would count as clean once the demonstration system was told.
      USER_DELETION_WEBHOOK_URLS: `crm=${http}/local/external-system/crm/user-deleted`,
    },
    sequin: { APP_URL: `http://${LOOPBACK}:${ports.app}` },
    trigger: {
      TRIGGER_SECRET_KEY,
      TRIGGER_ACCESS_TOKEN,
      TRIGGER_PROJECT_REF: "proj_local",
      TRIGGER_API_URL: http,
    },
    // The model's own name goes into each row: with OpenAI's model every one of them is stale.
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
