import { runs } from "@trigger.dev/sdk";
import { describe, expect, it } from "vitest";
import type { startPipeline } from "../helpers/deletions/pipeline.ts";
import { until } from "../helpers/until.ts";

type Pipeline = Awaited<ReturnType<typeof startPipeline>>;

/** What happens to a deletion when a run, a process, or everything that works on it dies. */
export function describeLosses(pipelineOf: () => Pipeline): void {
  describe("a deleted user whose work is lost", () => {
    it("is cleaned up and confirmed immediately when the run of a step is orphaned", async () => {
      const pipeline = pipelineOf();
      await pipeline.fail({ name: "crm", status: 503 });
      const { id, email, run } = await pipeline.deleteUser();
      const failing = await until(
        async () =>
          (await pipeline.runsOf(id, "clean-up-external-system")).find((step) => step.attemptCount > 1),
        { everyMs: 100, what: "failing step", progress: pipeline.progress },
      );
      await pipeline.loseRun(failing.id);
      await until(async () => (await runs.retrieve(run)).attemptCount > 1, {
        everyMs: 100,
        what: "next attempt of the deletion",
        progress: pipeline.progress,
      });
      await pipeline.recover();
      const ended = await pipeline.ended(run);
      expect(ended).toMatchObject({ attemptCount: 2, output: { confirmation: "sent" } });
      expect(await pipeline.mailsTo(email ?? "")).toHaveLength(1);
    });

    it("is cleaned up and confirmed when the processes that work on it are killed", async () => {
      const pipeline = pipelineOf();
      await pipeline.fail({ name: "crm", status: 503, times: 1 });
      const { id, email, run } = await pipeline.deleteUser();
      await until(async () => (await pipeline.callsFor(id)).length > 1, {
        what: "run to work",
        progress: pipeline.progress,
      });
      pipeline.killWorkers();
      expect((await pipeline.ended(run)).output).toMatchObject({ confirmation: "sent" });
      expect((await pipeline.database.deletionOf(id)).completed_at).toBeInstanceOf(Date);
      expect(await pipeline.mailsTo(email ?? "")).toHaveLength(1);
    });

    it("is not forgotten when the CLI is killed and its run canceled", async () => {
      const pipeline = pipelineOf();
      await pipeline.fail({ name: "crm", status: 503 });
      const { id, email, run } = await pipeline.deleteUser();
      await until(async () => (await pipeline.callsFor(id)).length > 1, {
        what: "run to work",
        progress: pipeline.progress,
      });
      await pipeline.killCli();
      expect((await pipeline.ended(run)).status).toBe("CANCELED");
      await pipeline.recover();
      await pipeline.startCliAgain();
      await pipeline.ended(await pipeline.resume());
      const deletion = await until(
        async () => {
          const row = await pipeline.database.deletionOf(id);
          return row.completed_at ? row : undefined;
        },
        { what: "resumed deletion", progress: pipeline.progress },
      );
      expect(deletion.run_id).not.toBe(run);
      expect(await pipeline.mailsTo(email ?? "")).toHaveLength(1);
    });
  });
}
