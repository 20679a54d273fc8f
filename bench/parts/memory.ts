import { residentBytes } from "../../tests/fuzz/memory.ts";
import { descendantsOf } from "../../tests/helpers/processes.ts";

const EVERY_MS = 1_000;
const WORKER = /dev-run-worker/;

/** Watches the app, and the largest process that executes runs. `stop` resolves with their peaks in MB. */
export function watchMemory(appPid: number) {
  let worker = 0;
  const timer = setInterval(() => {
    for (const { pid, command } of descendantsOf(process.pid))
      if (WORKER.test(command)) worker = Math.max(worker, residentBytes(pid));
  }, EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      return { app: residentBytes(appPid) / 1e6, worker: worker / 1e6 };
    },
  };
}
