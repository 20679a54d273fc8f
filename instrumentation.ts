/** Next.js calls this once when a server starts: a missing variable stops the start instead of the first request. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs")
    (await import("aftercommit/next")).startApp(await import("./aftercommit.config.ts"));
}
