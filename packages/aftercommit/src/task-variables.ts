import { declarationsOf } from "./declare/declarations.ts";
import { declaredVariable, EnvironmentError } from "./env/env.ts";
import { isKnown, variables as table, variablesOf } from "./env/variables.ts";
import { parseWebhooks } from "./env/webhook-list.ts";
import { neededByTasks } from "./needed-variables.ts";

// Trigger.dev's machines cannot reach these: they come from a laptop's own file.
const LOOPBACK = /(\/\/|@)(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/?,]|$)/i;

type Source = Readonly<Record<string, string | undefined>>;

/**
 * Trigger.dev does not show the values of secrets, and URLs are secrets. So a deployment also sends the names of the
 * external systems, which `npx aftercommit doctor` compares. No task reads them.
 */
export const SYSTEM_NAMES = "USER_DELETION_SYSTEMS";

type TaskVariable = { name: string; value: string; isSecret: boolean };

/** The names of the systems in a USER_DELETION_WEBHOOK_URLS, sorted, as SYSTEM_NAMES stores them. */
export const systemNames = (urls: string) =>
  parseWebhooks(urls.trim())
    .targets.map(({ name }) => name)
    .toSorted()
    .join(",") || "none";

function read(name: string, source: Source, isNeeded: boolean): TaskVariable | undefined {
  if (!isNeeded && !source[name]?.trim()) return undefined;
  const value = declaredVariable(name, source);
  if (LOOPBACK.test(value))
    throw new EnvironmentError([{ name, problem: "is an address of this machine only" }]);
  return { name, value, isSecret: !isKnown(name) || table[name].isSecret };
}

/**
 * The variables that the tasks need where Trigger.dev runs them, and lines that say, without any value, what is sent
 * and what is missing or useless there. `config` is the module aftercommit.config.ts.
 *
 * @example
 * extensions: [
 *   syncEnvVars(async () => taskVariables(await import("./aftercommit.config"), process.env).variables),
 * ];
 */
export function taskVariables(config: object, source: Source): { variables: TaskVariable[]; said: string[] } {
  const needed = neededByTasks(declarationsOf(config), source);
  const variables: TaskVariable[] = [];
  const said: string[] = [];
  for (const name of new Set([...needed, ...variablesOf("tasks", "optional")])) {
    try {
      const variable = read(name, source, needed.includes(name));
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
