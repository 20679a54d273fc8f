import type { Variables } from "@aftercommit/local-stack/emulators.ts";
import { say } from "@aftercommit/local-stack/terminal.ts";
import { scheduledTasks } from "./scheduled-tasks.ts";
import { runScheduledTask } from "./trigger-api.ts";

// As often as the schedules of a deployment.
const EVERY_MS = 60_000;

type Restarts = { onRestart(callback: () => void): void };

/**
 * Runs the scheduled tasks for the local database: now, every minute, and after each restart of a process. Resolves
 * when they have run. Never for a user's database, which a laptop must not fix.
 */
export async function keepCaughtUp(variables: Variables, stack: Restarts, cli: Restarts): Promise<void> {
  const tasks = scheduledTasks();

  /** One after another, so that one process is enough. */
  async function catchUp(): Promise<void> {
    for (const task of tasks)
      await runScheduledTask(variables, task).catch((error: unknown) =>
        say("dev", `${task} did not run: ${String(error)}`),
      );
  }

  for (const part of [stack, cli]) part.onRestart(() => void catchUp());
  setInterval(() => void catchUp(), EVERY_MS).unref();
  await catchUp();
}
