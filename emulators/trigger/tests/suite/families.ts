import { batch, runs, tasks } from "@trigger.dev/sdk";
import { describe, expect, test } from "vitest";
import { until } from "../../../../tests/helpers/until.ts";
import type {
  asksDifferent,
  asksMany,
  asksOne,
  asksTwice,
  sums,
  waitsForSlow,
} from "../project/trigger/families.ts";
import { cli, ended, reaches } from "./context.ts";

export function familyTests() {
  describe.concurrent("a parent", () => {
    test("gets its child's output, or its error", async () => {
      const { id } = await tasks.trigger<typeof asksOne>("asks-one", undefined);
      const run = await ended(id);
      expect(run.output).toMatchObject({ good: { n: 1 } });
      expect(run.output?.bad).toContain("it never works");
      expect(run.relatedRuns.children).toHaveLength(2);
      expect(run.relatedRuns.children?.[0]).toMatchObject({ depth: 1, triggerFunction: "triggerAndWait" });
    });

    test("gets the answers of a batch in the order of its items", async () => {
      const { id } = await tasks.trigger<typeof asksMany>("asks-many", { count: 12 });
      const { output } = await ended(id);
      expect(output?.answers).toEqual(Array.from({ length: 12 }, (_, n) => ({ n })));
      const { status, runCount } = await batch.retrieve(output?.batch ?? "");
      expect({ status, runCount }).toEqual({ status: "COMPLETED", runCount: 12 });
    });

    test("can wait for different tasks together", async () => {
      const { id } = await tasks.trigger<typeof asksDifferent>("asks-different", undefined);
      expect((await ended(id)).output).toEqual([
        { taskIdentifier: "echo", ok: true },
        { taskIdentifier: "succeeds-at", ok: true },
        { taskIdentifier: "fails", ok: false },
      ]);
    });

    test("that asks again with one key gets the first answer again", async () => {
      const { id } = await tasks.trigger<typeof asksTwice>("asks-twice", undefined);
      expect((await ended(id)).output).toEqual([1, 1, 1, 4]);
    });

    test("receives the metadata that its children give it", async () => {
      const { id } = await tasks.trigger<typeof sums>("sums", undefined);
      const run = await ended(id);
      expect(run.metadata).toMatchObject({ total: 6 });
      expect(Object(run.metadata).seen.toSorted()).toEqual([1, 2, 3]);
    });

    test("goes on when its child is canceled", async () => {
      const { id } = await tasks.trigger<typeof waitsForSlow>("waits-for-slow", undefined);
      const child = await until(async () => (await runs.retrieve(id)).relatedRuns.children?.[0], {
        what: "child",
        progress: () => cli().output(),
      });
      await reaches(child.id, "EXECUTING");
      await runs.cancel(child.id);
      expect((await ended(id)).output).toEqual({ ok: false });
    });

    test("takes its children with it when it is canceled", async () => {
      const { id } = await tasks.trigger("starts-slow", undefined);
      const child = await until(async () => (await runs.retrieve(id)).relatedRuns.children?.[0], {
        what: "child",
        progress: () => cli().output(),
      });
      await reaches(child.id, "EXECUTING");
      await runs.cancel(id);
      expect((await runs.retrieve(id)).status).toBe("CANCELED");
      expect((await ended(id)).error?.message).toBe("Canceled by user");
      expect((await ended(child.id)).status).toBe("CANCELED");
    });
  });
}
