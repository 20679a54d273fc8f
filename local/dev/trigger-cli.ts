import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Part, Settings } from "../settings.ts";
import type { Variables } from "../stand-ins.ts";
import { superviseChild } from "./child.ts";
import { triggerCommand } from "./processes.ts";
import { say } from "./terminal.ts";
import { disconnectDeadRuns, triggerScheduledTask } from "./trigger-api.ts";

// What these find are changes whose runs a dead CLI took with it.
const CATCH_UP = ["reconcile-post-embeddings", "resume-user-deletions"];

const WORKER_READY = /worker ready/i;

function endWatchdog(projectDir: string): void {
  try {
    const [, pid] = readFileSync(join(projectDir, ".trigger", "watchdog.pid"), "utf8").split(":");
    process.kill(Number(pid), "SIGTERM");
  } catch {
    // It has ended with its CLI, as it should.
  }
}

/** Runs `trigger.dev dev`. `serves` resolves when its worker is registered for the first time. */
export function startTriggerCli(parts: readonly Part[], variables: Variables, settings: Settings) {
  const projectDir = process.cwd();

  async function triggerCatchUp(): Promise<void> {
    for (const task of CATCH_UP)
      await triggerScheduledTask(variables, task).catch((error: unknown) =>
        say("dev", `could not trigger ${task}: ${String(error)}`),
      );
  }

  async function disconnect(): Promise<void> {
    try {
      const runs = await disconnectDeadRuns(variables, projectDir);
      if (runs > 0) say("dev", `told Trigger.dev of ${runs} runs that ended with their CLI`);
    } catch (error) {
      say("dev", `could not tell Trigger.dev of runs that ended with their CLI: ${String(error)}`);
    }
  }

  const child = superviseChild({
    name: "trigger",
    ...triggerCommand(parts, variables, settings),
    beforeStart: disconnect,
    onLine: (line) => {
      if (WORKER_READY.test(line)) {
        child.serving();
        void triggerCatchUp();
      }
      say("trigger", line);
    },
  });
  return {
    serves: child.serves,
    triggerCatchUp,
    async stop() {
      await child.stop();
      endWatchdog(projectDir);
    },
  };
}
