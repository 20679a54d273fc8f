import { resolve } from "node:path";
import { z } from "zod";

export const PARTS = ["postgres", "sequin", "trigger", "openai", "mail"] as const;
export type Part = (typeof PARTS)[number];

const port = (fallback: number) => z.coerce.number().int().min(1).max(65_535).default(fallback);

const perMinute = z.coerce.number().int().min(1).optional();

const schema = z.object({
  PORT: port(3000),
  LOCAL_POSTGRES_PORT: port(54_320),
  LOCAL_PORT: port(3040),
  LOCAL_SMTP_PORT: port(1025),
  LOCAL_DATA_DIR: z.string().default(".local"),
  LOCAL_CAPTURE: z.enum(["on", "off"]).default("off"),
  LOCAL_OPENAI_TOKENS_PER_MINUTE: perMinute,
  LOCAL_OPENAI_REQUESTS_PER_MINUTE: perMinute,
  LOCAL_TRIGGER_RATE_LIMIT: perMinute,
  LOCAL_EMBEDDING_MODEL: z
    .enum(["universal-sentence-encoder-lite", "hashing"])
    .default("universal-sentence-encoder-lite"),
});

export type Settings = Readonly<{
  ports: Readonly<{ app: number; postgres: number; http: number; smtp: number }>;
  /** The absolute path of the folder that keeps the local stack's data. */
  dataDir: string;
  /** Whether changes of a database other than the emulator's are captured. */
  captures: boolean;
  embeddingModel: "universal-sentence-encoder-lite" | "hashing";
  /** The limits per minute of the OpenAI emulator; undefined for no limit. */
  embeddingLimits: Readonly<{ tokensPerMinute: number | undefined; requestsPerMinute: number | undefined }>;
  /** The API requests per minute that the Trigger.dev emulator answers; undefined for no limit. */
  triggerRequestsPerMinute: number | undefined;
}>;

/**
 * Reads the local stack's own settings from an environment. An empty text counts as missing.
 * @throws {Error} naming the variable that cannot be read
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`${issue?.path.join(".")}: ${issue?.message}`);
  }
  const settings = parsed.data;
  return {
    ports: {
      app: settings.PORT,
      postgres: settings.LOCAL_POSTGRES_PORT,
      http: settings.LOCAL_PORT,
      smtp: settings.LOCAL_SMTP_PORT,
    },
    dataDir: resolve(settings.LOCAL_DATA_DIR),
    captures: settings.LOCAL_CAPTURE === "on",
    embeddingModel: settings.LOCAL_EMBEDDING_MODEL,
    embeddingLimits: {
      tokensPerMinute: settings.LOCAL_OPENAI_TOKENS_PER_MINUTE,
      requestsPerMinute: settings.LOCAL_OPENAI_REQUESTS_PER_MINUTE,
    },
    triggerRequestsPerMinute: settings.LOCAL_TRIGGER_RATE_LIMIT,
  };
}

/** The ports that the given parts listen on, by the variables that change them. */
export function portsOf(parts: readonly Part[], { ports }: Settings): Record<string, number> {
  return {
    ...(parts.includes("postgres") ? { LOCAL_POSTGRES_PORT: ports.postgres } : {}),
    ...(parts.includes("mail") ? { LOCAL_SMTP_PORT: ports.smtp } : {}),
    LOCAL_PORT: ports.http,
  };
}
