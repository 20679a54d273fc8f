import type { Variables } from "@aftercommit/local-stack/emulators.ts";
import { fromStack } from "@aftercommit/local-stack/messages.ts";
import type { Part } from "@aftercommit/local-stack/settings.ts";
import { superviseChild } from "./child.ts";
import { deferred } from "./deferred.ts";
import { stackCommand } from "./processes.ts";

/**
 * Runs the local stack's process. `serves` resolves when all parts except Sequin serve. Sequin starts with
 * `startSequin`, and automatically after each restart.
 */
export function startLocalStack(parts: readonly Part[], variables: Variables) {
  const sequinServes = deferred<void>();
  let wantsSequin = false;
  let restarted = () => {};
  let send: (message: string) => void = () => {};
  const child = superviseChild({
    name: "local",
    ...stackCommand(parts, variables),
    // Its lines already begin with the name of their part.
    onLine: (line) => process.stdout.write(`${line}\n`),
    onMessage: (message, reply) => {
      send = reply;
      const what = fromStack.safeParse(message).data;
      if (what === "sequin serves") sequinServes.resolve();
      if (what !== "stack serves") return;
      child.serving();
      if (wantsSequin) {
        send("start sequin");
        restarted();
      }
    },
  });
  return {
    serves: child.serves,
    startSequin(): Promise<void> {
      wantsSequin = true;
      send("start sequin");
      return sequinServes.promise;
    },
    /** Calls back each time the process has restarted and serves. */
    onRestart(callback: () => void) {
      restarted = callback;
    },
    stop: child.stop,
  };
}
