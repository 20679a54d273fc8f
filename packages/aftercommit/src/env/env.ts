// Not `{ z }`: the loader of trigger.config.ts takes the default export for the whole module.
import * as z from "zod";
import { databaseVariables } from "./database-variables.ts";
import { httpUrl, providerVariables, USED_BY_PROVIDERS, url } from "./provider-variables.ts";
import { parseSearchKeys } from "./search-keys.ts";
import { parseWebhooks } from "./webhook-list.ts";
import { isWebhookSecret } from "./webhook-secret.ts";

/** Every variable of the product: its shape, and where to get it. `.env.example` lists the same names. */
export const variables = {
  ...databaseVariables,
  APP_URL: {
    schema: httpUrl,
    where: "the address of the app as Sequin reaches it, without a path",
  },
  SEQUIN_API_URL: {
    schema: httpUrl,
    where:
      "the address of Sequin's console and API, for npx aftercommit doctor only: http://sequin.example:7376",
  },
  SEQUIN_API_TOKEN: {
    schema: z.string(),
    where: "Sequin's console → Settings → API tokens, for npx aftercommit doctor only",
  },
  TRIGGER_SECRET_KEY: {
    schema: z.string(),
    where: "Trigger.dev dashboard → your project → API keys, tr_dev_… or tr_prod_…",
  },
  TRIGGER_API_URL: {
    schema: httpUrl,
    where: "the URL of a self-hosted Trigger.dev; leave it out for Trigger.dev cloud",
  },
  TRIGGER_PROJECT_REF: {
    schema: z.string(),
    where: "Trigger.dev dashboard → your project → Project settings, proj_…",
  },
  TRIGGER_ACCESS_TOKEN: {
    schema: z.string(),
    where:
      "Trigger.dev dashboard → Account → Personal access tokens, tr_pat_…; only for the CLI where nobody can log in",
  },
  ...providerVariables,
  SMTP_URL: {
    schema: url("smtps?"),
    where: "your mail server, smtp://user:password@host:587 or smtps://user:password@host:465",
  },
  MAIL_FROM: {
    schema: z
      .string()
      .regex(
        /^([^<>\r\n]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/,
        "must be name@host or Name <name@host>",
      ),
    where: "the sender of the confirmations, as your mail server lets you send",
  },
  USER_DELETION_WEBHOOK_URLS: {
    schema: z.string().superRefine((text, context) => {
      const { problem } = parseWebhooks(text);
      if (problem) context.addIssue(problem);
    }),
    where:
      "the systems to tell of a deleted user, separated by commas: URL or name=URL; none when there are none",
  },
  USER_DELETION_WEBHOOK_SECRET: {
    schema: z.string().refine(isWebhookSecret, "must be whsec_ and 24 to 64 bytes in base64"),
    where: 'signs what those systems are told, as they know it: echo "whsec_$(openssl rand -base64 32)"',
  },
  DELETION_RECEIPT_KEY: {
    // rfc-editor.org/rfc/rfc8410#section-7: the prefix of a private key in PKCS #8, and then its 32 bytes.
    schema: z
      .string()
      .regex(/^MC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/]{43}$/, "must be an Ed25519 key, PKCS #8, DER in base64"),
    where:
      "signs the receipts of deletions: openssl genpkey -algorithm ed25519 -outform DER | openssl base64 -A",
  },
  USER_DELETION_CONCURRENCY: {
    schema: z.string().regex(/^[1-9]\d{0,3}$/, "must be a whole number from 1 to 9999"),
    where: "how many deletions are worked on at once; 5 when left out. Your external systems' limits decide",
  },
  DASHBOARD_PASSWORD: {
    schema: z.string(),
    where: "any long random text; without it the status page and search do not exist in production",
  },
  SEARCH_API_KEYS: {
    schema: z.string().superRefine((text, context) => {
      const { problem } = parseSearchKeys(text);
      if (problem) context.addIssue(problem);
    }),
    where:
      "the keys of servers that search over HTTP, separated by commas, as KEY or KEY@TENANT: openssl rand -hex 32",
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: httpUrl,
    where: "the URL of an OpenTelemetry collector, http://host:4318; without it no metrics are sent",
  },
  OTEL_METRIC_EXPORT_INTERVAL: {
    schema: z.string().regex(/^[1-9]\d{2,7}$/, "must be a whole number of milliseconds, 100 or more"),
    where: "how often metrics are sent, in milliseconds; 60000 when left out",
  },
} as const satisfies Record<string, { schema: z.ZodType; where: string }>;

export type VariableName = keyof typeof variables;

/** The variables that the app and capture require, whatever is declared. */
export const REQUIRED_BY_APP = ["DATABASE_URL", "TRIGGER_SECRET_KEY", "USER_DELETION_WEBHOOK_URLS"] as const;
// The provider's key is read when it is needed: the model decides which one.
export const REQUIRED_BY_EMBEDDING = ["DATABASE_URL"] as const;

/** Optional variables of the app. A malformed one stops it. */
export const USED_BY_APP = [
  "PGSSLMODE",
  "PGSSLROOTCERT",
  "DATABASE_POOL_SIZE",
  "CAPTURE_IN_APP",
  "DIRECT_DATABASE_URL",
  "SEQUIN_WEBHOOK_SECRET_PREVIOUS",
  "TRIGGER_API_URL",
  "TRIGGER_PROJECT_REF",
  ...USED_BY_PROVIDERS,
  "DASHBOARD_PASSWORD",
  "SEARCH_API_KEYS",
  "DELETION_RECEIPT_KEY",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_METRIC_EXPORT_INTERVAL",
] as const;

type Source = Readonly<Record<string, string | undefined>>;

const isKnown = (name: string): name is VariableName => name in variables;
/** Where to get a variable, in parentheses, if that is known. */
export const whereOf = (name: string) => (isKnown(name) ? ` (${variables[name].where})` : "");

/**
 * One or more variables are missing or malformed. The message names each and says where to get it.
 *
 * @example
 * if (error instanceof EnvironmentError) console.error(error.message); // names the variable and where to get it
 */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
  readonly variables: readonly string[];

  constructor(problems: readonly { name: string; problem: string }[]) {
    super(problems.map(({ name, problem }) => `${name} ${problem}${whereOf(name)}`).join("; "));
    this.variables = problems.map(({ name }) => name);
  }
}

function check(name: string, source: Source, required: boolean): { value?: string; problem?: string } {
  const raw = source[name]?.trim();
  if (!raw) return required ? { problem: "is not set" } : {};
  if (!isKnown(name)) return { value: raw };
  const parsed = variables[name].schema.safeParse(raw);
  return parsed.success
    ? { value: parsed.data }
    : { problem: parsed.error.issues[0]?.message ?? "is not valid" };
}

/**
 * Reads an optional variable. An empty or blank text counts as missing.
 * @throws {EnvironmentError} if it is malformed
 */
export function optional(name: VariableName, source: Source = process.env): string | undefined {
  const { value, problem } = check(name, source, false);
  if (problem) throw new EnvironmentError([{ name, problem }]);
  return value;
}

/**
 * Reads a required variable. An empty or blank text counts as missing.
 * @throws {EnvironmentError} if it is missing or malformed
 */
export const required = (name: VariableName, source: Source = process.env): string =>
  declaredVariable(name, source);

/**
 * Reads a variable that a declaration names: one of the product's, or another.
 * @throws {EnvironmentError} if it is missing or malformed
 */
export function declaredVariable(name: string, source: Source = process.env): string {
  const { value, problem } = check(name, source, true);
  if (value === undefined) throw new EnvironmentError([{ name, problem: problem ?? "is not set" }]);
  return value;
}

const problemsOf = (names: readonly string[], source: Source, required: boolean) =>
  names.flatMap((name) => {
    const { problem } = check(name, source, required);
    return problem ? [{ name, problem }] : [];
  });

/**
 * Checks all variables that a process requires or uses, so that the first start names everything that is missing.
 * Variables that it does not use are not checked.
 * @throws {EnvironmentError} naming each missing or malformed variable
 */
export function checkEnvironment(
  needed: readonly string[],
  { used = [], source = process.env }: { used?: readonly string[]; source?: Source } = {},
): void {
  const problems = [...problemsOf(needed, source, true), ...problemsOf(used, source, false)];
  if (problems.length > 0) throw new EnvironmentError(problems);
}

/** An error for each malformed variable of the product, whoever uses it. */
export function malformedVariables(source: Source = process.env): EnvironmentError[] {
  return problemsOf(Object.keys(variables), source, false).map((problem) => new EnvironmentError([problem]));
}
