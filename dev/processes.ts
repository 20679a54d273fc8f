import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Variables } from "@aftercommit/local-stack/emulators.ts";
import type { Part, Settings } from "@aftercommit/local-stack/settings.ts";

const require = createRequire(import.meta.url);

const preload = (file: string) => `--import=${pathToFileURL(file).href}`;

function binOf(name: string, script: string): string {
  return join(dirname(require.resolve(`${name}/package.json`)), script);
}

function environment(variables: Variables, preloads: readonly string[]): NodeJS.ProcessEnv {
  const nodeOptions = [process.env.NODE_OPTIONS, ...preloads].filter(Boolean).join(" ");
  return {
    ...process.env,
    ...variables,
    AFTERCOMMIT_DEV_PID: String(process.pid),
    NODE_OPTIONS: nodeOptions,
    NEXT_TELEMETRY_DISABLED: "1",
    TRIGGER_TELEMETRY_DISABLED: "1",
  };
}

const LEAVE = preload(join(import.meta.dirname, "leave-with-parent.mjs"));

type Command = { args: string[]; env: NodeJS.ProcessEnv };

/** The process that runs the given parts of the local stack. */
export function stackCommand(parts: readonly Part[], variables: Variables): Command {
  return {
    args: ["--import", "tsx", require.resolve("@aftercommit/local-stack/main.ts"), ...parts],
    env: environment(variables, [LEAVE]),
  };
}

/** `npx aftercommit capture --temporary`. */
export function captureCommand(variables: Variables): Command {
  return {
    args: ["--import", "tsx", "packages/aftercommit/cli/aftercommit.ts", "capture", "--temporary"],
    env: environment(variables, [LEAVE]),
  };
}

/** `next dev` on loopback. */
export function nextCommand(variables: Variables, { ports }: Settings): Command {
  return {
    args: [binOf("next", "dist/bin/next"), "dev", "--hostname", "127.0.0.1", "--port", String(ports.app)],
    env: environment(variables, [LEAVE]),
  };
}

/**
 * The unmodified `trigger.dev dev`. The variables of its .env files are already in the environment, and an empty
 * --env-file keeps the files from overriding it. With the Trigger.dev emulator, it looks up no outside host: those
 * lookups only serve notices.
 */
export function triggerCommand(parts: readonly Part[], variables: Variables, { dataDir }: Settings): Command {
  const envFile = join(dataDir, "trigger.env");
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(envFile, "");
  const offline = parts.includes("trigger")
    ? [preload(require.resolve("@aftercommit/local-trigger/offline.mjs"))]
    : [];
  const flags = ["--skip-update-check", "--skip-mcp-install", "--skip-rules-install", "--env-file", envFile];
  return {
    args: [binOf("trigger.dev", "dist/esm/index.js"), "dev", ...flags],
    env: environment(variables, [LEAVE, ...offline]),
  };
}
