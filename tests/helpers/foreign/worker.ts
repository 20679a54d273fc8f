import { setTimeout as sleep } from "node:timers/promises";
import type { App } from "./app.ts";

// The time that a Trigger.dev worker needs to fetch a run.
const FETCHES_MS = 50;

/** Executes every triggered run until it is stopped. `stop` rejects if a run failed. */
export function startWorker({ workOff }: App) {
  let isStopped = false;
  async function work(): Promise<void> {
    while (!isStopped) {
      await workOff();
      await sleep(FETCHES_MS);
    }
  }
  const working = work();
  working.catch(() => {});
  return {
    stop(): Promise<void> {
      isStopped = true;
      return working;
    },
  };
}
