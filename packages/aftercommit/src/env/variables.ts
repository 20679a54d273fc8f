import { parseSearchKeys } from "./search-keys.ts";
import { chosen, digits, httpUrl, list, open, secret, text, url, type Variable, whsec } from "./variable.ts";
import { parseWebhooks } from "./webhook-list.ts";

const app = { app: "optional" } as const;
const both = { app: "optional", tasks: "optional" } as const;
const ofProvider = { app: "optional", tasks: "declared" } as const;
const postgresUrl = url("postgres|postgresql");

/**
 * The table of environment variables, from which every list of them is made: the shape of each, who uses it, and where
 * to get it. It has the order of .env.example, with a blank line between groups.
 */
export const GROUPS = [
  {
    DATABASE_URL: secret(
      postgresUrl,
      { app: "required", tasks: "required", sequin: "required" },
      "The connection string of your Postgres with pgvector: postgres://user:password@host:5432/name. It may be a connection pooler's",
    ),
    DIRECT_DATABASE_URL: secret(
      postgresUrl,
      both,
      "If DATABASE_URL is a connection pooler's: the database's own address, for commands, vector indexes and capture",
    ),
    CAPTURE_IN_APP: open(
      text.regex(/^(on|off)$/, "must be on or off"),
      app,
      "on: the app's servers run npx aftercommit capture themselves. Not on machines that sleep, such as Vercel's",
    ),
    PGSSLMODE: open(
      text.regex(
        /^(disable|prefer|require|verify-ca|verify-full|no-verify)$/,
        "must be disable, prefer, require, verify-ca, verify-full or no-verify",
      ),
      both,
      "The sslmode of the database's connection, unless DATABASE_URL has it; disable by default, verify-full is the safest",
    ),
    PGSSLROOTCERT: secret(
      text,
      both,
      "The sslrootcert of the database's connection, unless DATABASE_URL has it: the file with its CA's certificate, or the certificate itself",
    ),
    DATABASE_POOL_SIZE: open(
      digits(3),
      both,
      "The most database connections of each process, and as many again for search; 5 by default. Use 1 or 2 if there are many processes, as in serverless functions",
    ),
  },
  {
    SEQUIN_WEBHOOK_SECRET: chosen(
      { app: "from sequin", sequin: "required" },
      "For changes from Sequin: any long random text, the same here and where Sequin runs: openssl rand -base64 32",
    ),
    SEQUIN_WEBHOOK_SECRET_PREVIOUS: chosen(app, "The previous secret, while Sequin may still send it"),
    DEBEZIUM_WEBHOOK_SECRET: secret(
      whsec,
      { app: "from debezium" },
      'For from: "debezium", the same here and in debezium.sink.http.authentication.webhook.secret: echo "whsec_$(openssl rand -base64 32)"',
    ),
    SUPABASE_WEBHOOK_SECRET: chosen(
      { app: "from supabase" },
      'For from: "supabase": any long random text, the same here and in the webhook\'s header Authorization: Bearer …',
    ),
    APP_URL: open(
      httpUrl,
      { sequin: "optional" },
      "The address at which Sequin reaches the app, without a path: https://app.example.com",
    ),
    SEQUIN_API_URL: secret(
      httpUrl,
      {},
      "For npx aftercommit doctor only: the address of Sequin's console and API, http://sequin.example.com:7376",
    ),
    SEQUIN_API_TOKEN: secret(
      text,
      {},
      "For npx aftercommit doctor only: Sequin's console → Settings → API tokens",
    ),
  },
  {
    TRIGGER_SECRET_KEY: secret(
      text,
      { app: "required" },
      "Trigger.dev dashboard → your project → API keys, tr_dev_… or tr_prod_…",
    ),
    TRIGGER_API_URL: secret(httpUrl, app, "The URL of a self-hosted Trigger.dev; its cloud by default"),
    TRIGGER_PROJECT_REF: open(text, app, "Trigger.dev dashboard → your project → Project settings, proj_…"),
    TRIGGER_ACCESS_TOKEN: secret(
      text,
      {},
      "For the CLI where nobody can log in with npx trigger.dev login: Trigger.dev dashboard → Account → Personal access tokens, tr_pat_…",
    ),
  },
  {
    OPENAI_API_KEY: secret(
      text,
      ofProvider,
      "platform.openai.com → API keys; any text for a compatible server without keys",
    ),
    OPENAI_BASE_URL: secret(httpUrl, both, "The /v1 URL of an OpenAI-compatible server; OpenAI by default"),
    AZURE_OPENAI_ENDPOINT: secret(
      httpUrl,
      ofProvider,
      "Azure portal → your OpenAI resource → Keys and Endpoint, https://NAME.openai.azure.com",
    ),
    AZURE_OPENAI_API_KEY: secret(text, ofProvider, "Azure portal → your OpenAI resource → Keys and Endpoint"),
    VOYAGE_API_KEY: secret(text, ofProvider, "dashboard.voyageai.com → API keys"),
    COHERE_API_KEY: secret(text, ofProvider, "dashboard.cohere.com → API keys"),
    GEMINI_API_KEY: secret(text, ofProvider, "aistudio.google.com → API keys"),
    EMBEDDING_MODEL: open(
      text,
      {},
      "The model of a new database, read by npx aftercommit migrate only; the provider's usual one by default. To change it later: npx aftercommit reembed --model NAME",
    ),
    EMBEDDING_DIMENSIONS: open(
      digits(4),
      {},
      "The width of the vectors of a new database, read by npx aftercommit migrate only and requested from the provider; the model's own by default",
    ),
    EMBEDDING_TOKENS_PER_MINUTE: open(
      digits(12),
      both,
      "Your provider's limit. OpenAI, text-embedding-3-small: 1000000 in tiers 1 (the default) and 2, 5000000 in tiers 3 and 4, 10000000 in tier 5",
    ),
    EMBEDDING_REQUESTS_PER_MINUTE: open(
      digits(12),
      both,
      "Your provider's limit. OpenAI, text-embedding-3-small: 3000 in tier 1 (the default), 5000 in tiers 2 and 3, 10000 in tiers 4 and 5",
    ),
    EMBEDDING_TOKENS_PER_DAY: open(
      digits(12),
      both,
      "The most tokens to spend in a UTC day, search included; no limit by default",
    ),
  },
  {
    SMTP_URL: secret(
      url("smtps?"),
      { tasks: "for e-mail" },
      "Your mail server: smtp://user:password@host:587 or smtps://user:password@host:465",
    ),
    MAIL_FROM: open(
      text.regex(
        /^([^<>\r\n]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/,
        "must be name@host or Name <name@host>",
      ),
      { tasks: "for e-mail" },
      "The sender of the confirmations, which your mail server must accept: Example <hello@example.com>",
    ),
    USER_DELETION_WEBHOOK_URLS: secret(
      list(parseWebhooks),
      { app: "for deletions", tasks: "for deletions" },
      "The systems to notify of a deleted user, separated by commas: https://crm.example/hook, or crm=https://crm.example/hook for a name that stays when the URL changes. If there are none: none",
    ),
    USER_DELETION_WEBHOOK_SECRET: secret(
      whsec,
      { tasks: "for deletions" },
      'Signs the requests to those systems (standardwebhooks.com): echo "whsec_$(openssl rand -base64 32)"',
    ),
    // rfc-editor.org/rfc/rfc8410#section-7: the prefix of a private key in PKCS #8, and then its 32 bytes.
    DELETION_RECEIPT_KEY: secret(
      text.regex(
        /^MC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/]{43}$/,
        "must be an Ed25519 key, PKCS #8, DER in base64",
      ),
      app,
      "Signs the receipts of deletions: openssl genpkey -algorithm ed25519 -outform DER | openssl base64 -A. Keep a copy outside the database and this server, to replay receipts after a restore",
    ),
    USER_DELETION_CONCURRENCY: open(
      digits(4),
      { tasks: "optional" },
      "How many deletions run at the same time, 5 by default; read when the tasks are deployed. Each calls all systems, which have their own limits",
    ),
  },
  {
    DASHBOARD_PASSWORD: chosen(
      app,
      "The password of the status page and of search: any long random text. In production they answer 404 without it",
    ),
    SEARCH_API_KEYS: secret(
      list(parseSearchKeys),
      app,
      "The keys of servers that search over HTTP, separated by commas, as KEY or KEY@TENANT: openssl rand -hex 32",
    ),
  },
  {
    OTEL_EXPORTER_OTLP_ENDPOINT: secret(
      httpUrl,
      app,
      "The URL of an OpenTelemetry collector, http://host:4318; without it no metrics are sent",
    ),
    OTEL_METRIC_EXPORT_INTERVAL: open(
      text.regex(/^[1-9]\d{2,7}$/, "must be a whole number of milliseconds, 100 or more"),
      app,
      "How often metrics are sent, in milliseconds; 60000 by default",
    ),
  },
] as const;

type NamesOf<Group> = Group extends unknown ? keyof Group : never;
export type VariableName = NamesOf<(typeof GROUPS)[number]>;

export const variables: Readonly<Record<VariableName, Variable>> = Object.assign({}, ...GROUPS);

export const isKnown = (name: string): name is VariableName => name in variables;
export const NAMES = Object.keys(variables).filter(isKnown);

/** The variables that a process uses in one of these ways, in the order of the table. */
export const variablesOf = (
  process: "app" | "tasks" | "sequin",
  ...needs: readonly string[]
): VariableName[] => NAMES.filter((name) => needs.includes(variables[name].usedBy[process] ?? ""));
