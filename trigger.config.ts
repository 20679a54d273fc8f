import { syncEnvVars } from "@trigger.dev/build/extensions/core";
import { defineConfig } from "@trigger.dev/sdk";

export default defineConfig({
  // Read where the CLI runs; .env.example says where to get it.
  project: process.env.TRIGGER_PROJECT_REF ?? "",
  dirs: ["./trigger"],
  runtime: "node-24",
  // In seconds, for all attempts of a run together; waiting for a retry or a child does not count.
  maxDuration: 300,
  // A new process per run costs a third of a second; the tasks keep no state between runs except their database pool.
  processKeepAlive: { enabled: true, maxExecutionsPerProcess: 1_000 },
  build: {
    // Called only by `trigger.dev deploy`.
    extensions: [
      syncEnvVars(async () => {
        const { taskVariables } = await import("aftercommit/deploy");
        const { variables, said } = taskVariables(await import("./aftercommit.config.ts"), process.env);
        for (const line of said) console.log(line);
        return variables;
      }),
    ],
  },
  retries: {
    enabledInDev: true,
    default: { maxAttempts: 5, factor: 2, minTimeoutInMs: 1_000, maxTimeoutInMs: 60_000, randomize: true },
  },
});
