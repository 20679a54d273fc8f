import { EnvironmentError, optional, required, type VariableName } from "./env/env.ts";
import { parseWebhooks } from "./env/webhook-list.ts";

// The variables that the tasks require, those that they can use, and which of them are stored as secrets.
export const NEEDED = [
  "DATABASE_URL",
  "OPENAI_API_KEY",
  "SMTP_URL",
  "MAIL_FROM",
  "USER_DELETION_WEBHOOK_URLS",
  "USER_DELETION_WEBHOOK_SECRET",
] as const satisfies readonly VariableName[];
const OTHER_PROVIDERS = [
  "AZURE_OPENAI_API_KEY",
  "VOYAGE_API_KEY",
  "COHERE_API_KEY",
  "GEMINI_API_KEY",
] as const satisfies readonly VariableName[];
export const POSSIBLE = [
  "OPENAI_BASE_URL",
  "AZURE_OPENAI_ENDPOINT",
  ...OTHER_PROVIDERS,
  "EMBEDDING_TOKENS_PER_MINUTE",
  "EMBEDDING_REQUESTS_PER_MINUTE",
  "EMBEDDING_TOKENS_PER_DAY",
  "DATABASE_POOL_SIZE",
  "USER_DELETION_CONCURRENCY",
] as const satisfies readonly VariableName[];
const OPEN: ReadonlySet<VariableName> = new Set([
  "MAIL_FROM",
  "EMBEDDING_TOKENS_PER_MINUTE",
  "EMBEDDING_REQUESTS_PER_MINUTE",
  "EMBEDDING_TOKENS_PER_DAY",
  "DATABASE_POOL_SIZE",
  "USER_DELETION_CONCURRENCY",
]);

// Trigger.dev's machines cannot reach these: they come from a laptop's own file.
const LOOPBACK = /(\/\/|@)(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/?,]|$)/i;

type Source = Readonly<Record<string, string | undefined>>;

/**
 * Trigger.dev does not show the values of secrets, and URLs are secrets. So a deployment also sends the names of the
 * external systems, which `npx aftercommit doctor` compares. No task reads them.
 */
export const SYSTEM_NAMES = "USER_DELETION_SYSTEMS";

type TaskVariable = { name: VariableName | typeof SYSTEM_NAMES; value: string; isSecret: boolean };

/** The names of the systems in a USER_DELETION_WEBHOOK_URLS, sorted, as SYSTEM_NAMES stores them. */
export const systemNames = (urls: string) =>
  parseWebhooks(urls.trim())
    .targets.map(({ name }) => name)
    .toSorted()
    .join(",") || "none";

const isNeeded = (name: VariableName, source: Source) =>
  NEEDED.some((needed) => needed === name) &&
  !(name === "OPENAI_API_KEY" && OTHER_PROVIDERS.some((other) => source[other]?.trim())) &&
  !(name === "USER_DELETION_WEBHOOK_SECRET" && source.USER_DELETION_WEBHOOK_URLS?.trim() === "none");

function read(name: VariableName, source: Source): TaskVariable | undefined {
  const value = isNeeded(name, source) ? required(name, source) : optional(name, source);
  if (value === undefined) return undefined;
  if (LOOPBACK.test(value))
    throw new EnvironmentError([{ name, problem: "is an address of this machine only" }]);
  return { name, value, isSecret: !OPEN.has(name) };
}

/** The variables that the tasks require. */
export const neededByTasks = (source: Source) => NEEDED.filter((name) => isNeeded(name, source));

/**
 * The variables that the tasks need where Trigger.dev runs them, and lines that say, without any value, what is sent
 * and what is missing or useless there.
 *
 * @example
 * extensions: [
 *   syncEnvVars(() => taskVariables(process.env).variables),
 * ];
 */
export function taskVariables(source: Source): { variables: TaskVariable[]; said: string[] } {
  const variables: TaskVariable[] = [];
  const said: string[] = [];
  for (const name of [...NEEDED, ...POSSIBLE]) {
    try {
      const variable = read(name, source);
      if (variable) variables.push(variable);
      if (variable?.name === "USER_DELETION_WEBHOOK_URLS")
        variables.push({ name: SYSTEM_NAMES, value: systemNames(variable.value), isSecret: false });
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      said.push(`Not sent to Trigger.dev: ${error.message}`);
    }
  }
  const names = variables.map(({ name }) => name).join(", ") || "nothing";
  return { variables, said: [`Sent to Trigger.dev for the tasks: ${names}`, ...said] };
}
