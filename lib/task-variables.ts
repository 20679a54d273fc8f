import { EnvironmentError, optional, required, type VariableName } from "./env.ts";

// What the tasks cannot work without, what they can, and of both what is stored as a secret.
export const NEEDED = [
  "DATABASE_URL",
  "OPENAI_API_KEY",
  "SMTP_URL",
  "MAIL_FROM",
  "USER_DELETION_WEBHOOK_URLS",
  "USER_DELETION_WEBHOOK_SECRET",
] as const satisfies readonly VariableName[];
export const POSSIBLE = [
  "OPENAI_BASE_URL",
  "EMBEDDING_MODEL",
  "EMBEDDING_TOKENS_PER_MINUTE",
  "EMBEDDING_REQUESTS_PER_MINUTE",
  "DATABASE_POOL_SIZE",
  "USER_DELETION_CONCURRENCY",
] as const satisfies readonly VariableName[];
const OPEN: ReadonlySet<VariableName> = new Set([
  "MAIL_FROM",
  "EMBEDDING_MODEL",
  "EMBEDDING_TOKENS_PER_MINUTE",
  "EMBEDDING_REQUESTS_PER_MINUTE",
  "DATABASE_POOL_SIZE",
  "USER_DELETION_CONCURRENCY",
]);

// No machine of Trigger.dev's reaches these: they come from a laptop's own file.
const LOOPBACK = /(\/\/|@)(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/?,]|$)/i;

type Source = Readonly<Record<string, string | undefined>>;
type TaskVariable = { name: VariableName; value: string; isSecret: boolean };

const isNeeded = (name: VariableName, source: Source) =>
  NEEDED.some((needed) => needed === name) &&
  !(name === "USER_DELETION_WEBHOOK_SECRET" && source.USER_DELETION_WEBHOOK_URLS?.trim() === "none");

function read(name: VariableName, source: Source): TaskVariable | undefined {
  const value = isNeeded(name, source) ? required(name, source) : optional(name, source);
  if (value === undefined) return undefined;
  if (LOOPBACK.test(value))
    throw new EnvironmentError([{ name, problem: "is an address of this machine only" }]);
  return { name, value, isSecret: !OPEN.has(name) };
}

/**
 * What of an environment the tasks need where Trigger.dev runs them, and in words without any value what is sent and
 * what is missing or of no use there.
 */
export function taskVariables(source: Source): { variables: TaskVariable[]; said: string[] } {
  const variables: TaskVariable[] = [];
  const said: string[] = [];
  for (const name of [...NEEDED, ...POSSIBLE]) {
    try {
      const variable = read(name, source);
      if (variable) variables.push(variable);
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      said.push(`Not sent to Trigger.dev: ${error.message}`);
    }
  }
  const names = variables.map(({ name }) => name).join(", ") || "nothing";
  return { variables, said: [`Sent to Trigger.dev for the tasks: ${names}`, ...said] };
}
