/** Next.js calls this once when a server starts: a missing variable stops the start instead of the first request. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { checkEnvironment, EnvironmentError, REQUIRED_BY_APP } = await import("./lib/env.ts");
  try {
    checkEnvironment(REQUIRED_BY_APP);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    console.error(`Aftercommit cannot start: ${error.message}`);
    process.exit(1);
  }
}
