import { connectionOf } from "./db/tls.ts";
import type { Declaration } from "./declare/declaration.ts";
import { checkEnvironment, EnvironmentError, malformedVariables, required } from "./env/env.ts";
import { variablesOf } from "./env/variables.ts";
import { log } from "./log.ts";
import { neededByApp } from "./needed-variables.ts";

/**
 * Ends the process if a required variable of the app is missing or malformed, and says which and where to get it. A
 * variable that only tasks use causes a warning: they also report it, but later.
 */
export function stopWithoutEnvironment(declarations: readonly Declaration[]): void {
  for (const { message } of malformedVariables()) log("warn", "environment.malformed", { problem: message });
  try {
    checkEnvironment(neededByApp(declarations), variablesOf("app", "optional"));
    connectionOf(required("DATABASE_URL"));
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    console.error(`Aftercommit cannot start: ${error.message}`);
    process.exit(1);
  }
}
