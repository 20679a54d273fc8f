import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Variables } from "../stand-ins.ts";

const activeRuns = z.object({ runFriendlyIds: z.array(z.string()) });

async function post(env: Variables, path: string, body: unknown): Promise<void> {
  const base = env.TRIGGER_API_URL ?? "https://api.trigger.dev";
  const response = await fetch(new URL(path, base), {
    method: "POST",
    headers: { authorization: `Bearer ${env.TRIGGER_SECRET_KEY}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
  });
  if (!response.ok)
    throw new Error(`Trigger.dev answered ${response.status} to ${path}: ${await response.text()}`);
}

/** Triggers a scheduled task now, with the payload that its schedule would give it. */
export function triggerScheduledTask(env: Variables, task: string): Promise<void> {
  const timestamp = new Date().toISOString();
  const payload = { scheduleId: "npm-run-dev", type: "IMPERATIVE", timestamp, timezone: "UTC", upcoming: [] };
  return post(env, `/api/v1/tasks/${task}/trigger`, { payload, options: { ttl: "1h" } });
}

/**
 * Tells the server which runs died with a `trigger.dev dev` that left no watchdog behind: without it they would hold
 * their queues' slots for five minutes. The file and the call are those of the CLI's own watchdog.
 */
export async function disconnectDeadRuns(env: Variables, projectDir: string): Promise<number> {
  let text: string;
  try {
    text = readFileSync(join(projectDir, ".trigger", "active-runs.json"), "utf8");
  } catch {
    return 0;
  }
  const { runFriendlyIds } = activeRuns.catch({ runFriendlyIds: [] }).parse(JSON.parse(text));
  if (runFriendlyIds.length > 0) await post(env, "/engine/v1/dev/disconnect", { runFriendlyIds });
  return runFriendlyIds.length;
}
