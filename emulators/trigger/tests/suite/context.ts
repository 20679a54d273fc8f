import { configure, idempotencyKeys, runs } from "@trigger.dev/sdk";
import { until } from "../../../../tests/helpers/until.ts";
import { type Cli, copyProject, removeProject, startCli } from "./cli.ts";
import { findTarget } from "./target.ts";

export const target = await findTarget();
export const project = await copyProject();
let running: Cli | undefined;

/** The CLI that runs the suite's tasks now. */
export function cli(): Cli {
  if (!running) throw new Error("the CLI has not been started");
  return running;
}

export async function restartCli(): Promise<void> {
  running = await startCli(project, target);
}

export async function startSuite(): Promise<void> {
  configure({ baseURL: target.apiUrl, accessToken: target.secretKey });
  await restartCli();
}

export async function stopSuite(): Promise<void> {
  await running?.stop();
  await target.close();
  await removeProject(project);
}

const final = new Set([
  "COMPLETED",
  "FAILED",
  "CANCELED",
  "CRASHED",
  "SYSTEM_FAILURE",
  "EXPIRED",
  "TIMED_OUT",
]);

/** Waits for the end of a run. A run that is canceled while it waits in its queue has none: {@link reaches}. */
export function ended(id: string, stuckMs = 60_000) {
  return until(
    async () => {
      const run = await runs.retrieve(id);
      return final.has(run.status) && run.finishedAt ? run : undefined;
    },
    { everyMs: 100, what: `end of ${id}`, progress: () => cli().output(), stuckMs },
  );
}

export function reaches(id: string, status: string) {
  return until(async () => (await runs.retrieve(id)).status === status, {
    everyMs: 50,
    what: `${status} of ${id}`,
    progress: () => cli().output(),
  });
}

/** A key that no earlier run of the suite has used on this server. */
export const fresh = (name: string) =>
  idempotencyKeys.create(`${name} ${process.pid} ${Date.now()}`, { scope: "global" });
