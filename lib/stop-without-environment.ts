import { checkEnvironment, EnvironmentError, REQUIRED_BY_APP } from "./env.ts";

/** Ends the process when a variable that the app needs is missing or malformed, naming it and where to get it. */
export function stopWithoutEnvironment(): void {
  try {
    checkEnvironment(REQUIRED_BY_APP);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    console.error(`Aftercommit cannot start: ${error.message}`);
    process.exit(1);
  }
}
