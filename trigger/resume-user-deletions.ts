import { schedules } from "@trigger.dev/sdk";
import { environmentOf } from "../lib/deletions/environment-of.ts";
import { lostDeletions, noteRun } from "../lib/deletions/lost-deletions.ts";
import { inParallel } from "../lib/in-parallel.ts";
import { statusOfRun } from "../lib/runs/status-of-run.ts";
import { userDeletionCleanup } from "./user-deletion-cleanup.ts";

/** Triggers a run for each deletion of its environment that is incomplete and has none any more that would complete it. */
export const resumeUserDeletions = schedules.task({
  id: "resume-user-deletions",
  // Not in development: a laptop that is connected to a database would work on what is others' to do.
  cron: { pattern: "*/10 * * * *", environments: ["PRODUCTION", "STAGING", "PREVIEW"] },
  concurrency: { total: 1 },
  run: async (_, { ctx }) => {
    const environment = environmentOf(ctx);
    let triggered = 0;
    for await (const page of lostDeletions(statusOfRun, { environment })) {
      await inParallel(page, async (lost) => {
        const { userId } = lost;
        const run = await userDeletionCleanup.trigger(
          { userId },
          {
            tags: [`user:${userId}`],
            ttl: "14d",
            // In force within this run only: a retry of it triggers nothing twice, the next one starts afresh.
            idempotencyKey: ["resume-user-deletions", userId],
          },
        );
        await noteRun(lost, { to: run.id, environment });
      });
      triggered += page.length;
    }
    return { triggered };
  },
});
