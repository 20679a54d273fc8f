import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Variables } from "@aftercommit/local-stack/emulators.ts";
import { z } from "zod";
import { until } from "./until.ts";

const activeRuns = z.object({ runFriendlyIds: z.array(z.string()) });

const handle = z.object({ id: z.string() });
const state = z.object({ isQueued: z.boolean(), isExecuting: z.boolean(), isWaiting: z.boolean() });

const RUN_ENDS_MS = 20_000;

async function call(env: Variables, path: string, body?: unknown): Promise<unknown> {
  const base = env.TRIGGER_API_URL ?? "https://api.trigger.dev";
  const response = await fetch(new URL(path, base), {
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    headers: { authorization: `Bearer ${env.TRIGGER_SECRET_KEY}`, "content-type": "application/json" },
    signal: AbortSignal.timeout(15_000),
  });
  if (!response.ok)
    throw new Error(`Trigger.dev answered ${response.status} to ${path}: ${await response.text()}`);
  return response.json();
}

/** Runs a scheduled task now, with the payload of its schedule. Resolves when the run has ended. */
export async function runScheduledTask(env: Variables, task: string): Promise<void> {
  const timestamp = new Date().toISOString();
  const payload = { scheduleId: "npm-run-dev", type: "IMPERATIVE", timestamp, timezone: "UTC", upcoming: [] };
  const path = `/api/v1/tasks/${task}/trigger`;
  // The next one is triggered after a minute.
  const { id } = handle.parse(await call(env, path, { payload, options: { ttl: "1m" } }));
  const hasEnded = async () => {
    const run = state.parse(await call(env, `/api/v3/runs/${id}`));
    return !run.isQueued && !run.isExecuting && !run.isWaiting;
  };
  await until(hasEnded, { what: `${task} ends`, timeoutMs: RUN_ENDS_MS });
}

/**
 * Tells the server which runs died with a `trigger.dev dev` that left no watchdog behind. Otherwise they would hold
 * their queues' slots for five minutes. The file and the request are those of the CLI's own watchdog.
 */
export async function disconnectDeadRuns(env: Variables, projectDir: string): Promise<number> {
  let text: string;
  try {
    text = readFileSync(join(projectDir, ".trigger", "active-runs.json"), "utf8");
  } catch {
    return 0;
  }
  const { runFriendlyIds } = activeRuns.catch({ runFriendlyIds: [] }).parse(JSON.parse(text));
  if (runFriendlyIds.length > 0) await call(env, "/engine/v1/dev/disconnect", { runFriendlyIds });
  return runFriendlyIds.length;
}
