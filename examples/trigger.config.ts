import { defineConfig } from "@trigger.dev/sdk";

export default defineConfig({
  project: process.env.TRIGGER_PROJECT_REF ?? "",
  dirs: ["./trigger"],
  runtime: "node-24",
  maxDuration: 300,
  processKeepAlive: true,
  retries: { enabledInDev: true },
});
