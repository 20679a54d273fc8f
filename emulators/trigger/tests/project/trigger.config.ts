import { defineConfig } from "@trigger.dev/sdk";

export const config = defineConfig({
  project: process.env.TRIGGER_PROJECT_REF ?? "",
  dirs: ["./trigger"],
  maxDuration: 60,
  processKeepAlive: { enabled: true, maxExecutionsPerProcess: 1_000 },
});
