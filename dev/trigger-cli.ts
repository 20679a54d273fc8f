import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Variables } from "@aftercommit/local-stack/emulators.ts";
import type { Part, Settings } from "@aftercommit/local-stack/settings.ts";
import { say } from "@aftercommit/local-stack/terminal.ts";
import { superviseChild } from "./child.ts";
import { triggerCommand } from "./processes.ts";
import { disconnectDeadRuns } from "./trigger-api.ts";

const WORKER_READY = /worker ready/i;
// Trigger.dev was down when the CLI registered its worker. The CLI would wait for an edit, while every run waits for
// it.
const NOT_REGISTERED = /Build failed: (Connection error|5\d\d )/;

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
  let hasServed = false;
  let restarted = () => {};

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
        if (hasServed) restarted();
        hasServed = true;
        child.serving();
      }
      say("trigger", line);
      if (NOT_REGISTERED.test(line)) child.restart();
    },
  });
  return {
    serves: child.serves,
    /** Calls back each time a worker is ready after the first time: the process, or the code, is new. */
    onRestart(callback: () => void) {
      restarted = callback;
    },
    async stop() {
      await child.stop();
      endWatchdog(projectDir);
    },
  };
}
