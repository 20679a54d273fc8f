import { setTimeout as sleep } from "node:timers/promises";
import { disconnect } from "../src/db/client.ts";
import { rootMessageOf } from "../src/errors.ts";

function messageOf(error: unknown): string {
  const [message, root] = [error instanceof Error ? error.message : String(error), rootMessageOf(error)];
  return message.includes(root) ? message : `${message}: ${root}`;
}

/** Runs a command to its end. An error ends it with its message, the message of its cause, and exit code 1. */
export async function command(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  } finally {
    await disconnect();
  }
}

const POLL_MS = 1_000;

/** Waits before the next check of the tables; longer if the last one, which began at `startedAt`, was slow. */
export const pause = (startedAt: number) => sleep(Math.max(POLL_MS, 4 * (Date.now() - startedAt)));

const QUIET_MS = 5_000;

/** Shows progress: one line that is overwritten in a terminal, a line every 5 s elsewhere. */
export function progress(what: string) {
  let lastLine = 0;
  let open = false;
  return {
    show(done: number, all: number): void {
      const share = all === 0 ? 100 : Math.floor((done / all) * 100);
      const line = `${what}: ${done} of ${all} (${share}%)`;
      if (process.stdout.isTTY) {
        process.stdout.write(`\r\u001b[K${line}`);
        open = true;
      } else if (Date.now() - lastLine > QUIET_MS || done >= all) {
        process.stdout.write(`${line}\n`);
        lastLine = Date.now();
      }
    },
    end(): void {
      if (open) process.stdout.write("\n");
      open = false;
    },
  };
}
