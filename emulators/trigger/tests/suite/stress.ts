import { batch, runs, tasks } from "@trigger.dev/sdk";
import { describe, expect, test } from "vitest";
import { until } from "../../../../tests/helpers/until.ts";
import { cli, ended, reaches, restartCli } from "./context.ts";

export function stressTests() {
  describe("under stress", () => {
    test("a burst of 500 runs loses none and runs none twice", async () => {
      const { batchId } = await tasks.batchTrigger(
        "echo",
        Array.from({ length: 500 }, (_, n) => ({ payload: { n } })),
      );
      const done = await until(
        async () => {
          const found = await batch.retrieve(batchId);
          return found.status === "COMPLETED" ? found : undefined;
        },
        { everyMs: 500, what: "end of the burst", progress: () => cli().output() },
      );
      expect(new Set(done.runs).size).toBe(500);
      const all = [];
      for (let from = 0; from < 500; from += 50)
        all.push(...(await Promise.all(done.runs.slice(from, from + 50).map((id) => runs.retrieve(id)))));
      expect(
        all.filter(({ status, attemptCount }) => status === "COMPLETED" && attemptCount === 1),
      ).toHaveLength(500);
      expect(new Set(all.map(({ payload }) => Object(payload).n)).size).toBe(500);
    });

    test("a CLI that dies cancels what it ran; what waited runs when it is back", async () => {
      const running = await tasks.trigger(
        "one-at-a-time",
        { name: "running", ms: 60_000 },
        { concurrencyKey: "death" },
      );
      const waiting = await tasks.trigger("one-at-a-time", { name: "waiting" }, { concurrencyKey: "death" });
      await reaches(running.id, "EXECUTING");
      await cli().kill();
      expect(await ended(running.id)).toMatchObject({ status: "CANCELED" });
      await restartCli();
      // A poll that the dead CLI left open may have taken the run: it is queued again after a minute.
      expect(await ended(waiting.id, 120_000)).toMatchObject({ status: "COMPLETED" });
    });
  });
}
