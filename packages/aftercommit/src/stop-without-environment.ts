import {
  checkEnvironment,
  EnvironmentError,
  malformedVariables,
  REQUIRED_BY_APP,
  USED_BY_APP,
} from "./env/env.ts";
import { log } from "./log.ts";

/**
 * Ends the process when a variable that the app needs is missing or malformed, naming it and where to get it. One that
 * only tasks use leaves a warning: they name it, too, but later.
 */
export function stopWithoutEnvironment(): void {
  for (const { message } of malformedVariables()) log("warn", "environment.malformed", { problem: message });
  try {
    checkEnvironment(REQUIRED_BY_APP, { used: USED_BY_APP });
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    console.error(`Aftercommit cannot start: ${error.message}`);
    process.exit(1);
  }
}
