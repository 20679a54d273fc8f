import type { Variables } from "@aftercommit/local-stack/stand-ins.ts";
import { say } from "@aftercommit/local-stack/terminal.ts";
import { scheduledTasks } from "./scheduled-tasks.ts";
import { runScheduledTask } from "./trigger-api.ts";

const EVERY_MS = 10 * 60_000;
// By then Trigger.dev has given up the runs that were in the air when the stack died.
const AFTER_DEATH_MS = 75_000;
// Runs are under way that may see to it; when these have ended, it shows.
const WHILE_BUSY_MS = 5_000;

type Restarts = { onRestart(callback: () => void): void };

/**
 * Sees to it that nothing stays undone in the local database: runs the scheduled tasks now, every ten minutes and after
 * each restart of a process. Resolves when they have run. Never for a database of the user's, which is not a laptop's
 * to mend.
 */
export async function keepCaughtUp(variables: Variables, stack: Restarts, cli: Restarts): Promise<void> {
  // They find changes whose runs died, and those that a deployment finds by its schedules.
  const tasks = scheduledTasks();

  let soon: NodeJS.Timeout | undefined;

  /** One after the other, so that one process does for all. What was left for later is done soon, once for all. */
  async function catchUp(): Promise<void> {
    for (const task of tasks) {
      try {
        const { busy } = await runScheduledTask(variables, task);
        if (!busy) continue;
        clearTimeout(soon);
        soon = setTimeout(() => void catchUp(), WHILE_BUSY_MS).unref();
      } catch (error) {
        say("dev", `${task} did not run: ${String(error)}`);
      }
    }
  }

  cli.onRestart(() => void catchUp());
  stack.onRestart(() => {
    void catchUp();
    setTimeout(() => void catchUp(), AFTER_DEATH_MS).unref();
  });
  setInterval(() => void catchUp(), EVERY_MS).unref();
  await catchUp();
}
