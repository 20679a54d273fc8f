const IMPORT = `import { syncEnvVars } from "@trigger.dev/build/extensions/core";\n`;

const BUILD = `  build: {
    extensions: [
      syncEnvVars(async () => {
        const { taskVariables } = await import("aftercommit/deploy");
        return taskVariables(await import("./aftercommit.config"), process.env).variables;
      }),
    ],
  },
`;

/** The text of trigger.config.ts. It sends the tasks' variables if the project has what that takes. */
export const triggerConfig = ({ hasTriggerBuild }: { hasTriggerBuild: boolean }): string =>
  `${hasTriggerBuild ? IMPORT : ""}import { defineConfig } from "@trigger.dev/sdk";

export default defineConfig({
  project: process.env.TRIGGER_PROJECT_REF ?? "",
  dirs: ["./trigger"],
  runtime: "node-24",
  maxDuration: 300,
  processKeepAlive: true,
${hasTriggerBuild ? BUILD : ""}  retries: { enabledInDev: true },
});
`;

/** What is left to do if a trigger.config.ts does not send the tasks' variables. */
export const adviceOnVariables = (config: string, sdkVersion: string): string[] =>
  config.includes("syncEnvVars")
    ? []
    : [
        "\nSo that a deployment sends the tasks' variables:",
        `  npm install --save-dev @trigger.dev/build@${sdkVersion}`,
        "  add syncEnvVars to trigger.config.ts, as docs/install.md shows",
      ];
