import { batch, concurrencyLimits, runs, tasks } from "@trigger.dev/sdk";
import { describe, expect, test } from "vitest";
import { until } from "../../../../tests/helpers/until.ts";
import type { bulk, live, oneAtATime, onePerKey, twoAtATime } from "../project/trigger/times.ts";
import { cli, ended, reaches, target } from "./context.ts";

type Period = { name: string; from: number; to: number };

async function periodsOf(handles: { id: string }[]): Promise<Period[]> {
  const finished = await Promise.all(handles.map(({ id }) => ended(id)));
  return finished.flatMap(({ output }) => output ?? []);
}

/** The most that ran at the same time. */
function most(periods: Period[]): number {
  const beside = ({ from }: Period) => periods.filter((other) => other.from <= from && from < other.to);
  return Math.max(...periods.map((period) => beside(period).length));
}

export function queueTests() {
  describe.runIf(target.hasLimits)("a concurrency limit", () => {
    test("is shared by two tasks, one of which may have less of it", async () => {
      const first = Array.from({ length: 5 }, (_, n) =>
        tasks.trigger<typeof bulk>("bulk", { name: `bulk ${n}` }),
      );
      const then = Array.from({ length: 5 }, (_, n) =>
        tasks.trigger<typeof live>("live", { name: `live ${n}` }),
      );
      const periods = await periodsOf(await Promise.all([...first, ...then]));
      expect(periods).toHaveLength(10);
      expect(most(periods)).toBeLessThanOrEqual(3);
      expect(most(periods.filter(({ name }) => name.startsWith("bulk")))).toBeLessThanOrEqual(2);
      expect((await concurrencyLimits.retrieve("provider")).total.current).toBe(3);
    });

    test("bounds each key and all keys together", async () => {
      const keys = ["a", "a", "b", "b", "c", "c"];
      const handles = keys.map((key) =>
        tasks.trigger<typeof onePerKey>("one-per-key", { name: key }, { concurrencyKey: key }),
      );
      const periods = await periodsOf(await Promise.all(handles));
      expect(most(periods)).toBeLessThanOrEqual(2);
      for (const key of keys) expect(most(periods.filter(({ name }) => name === key))).toBe(1);
    });

    test("holds its runs while it is paused", async () => {
      await concurrencyLimits.pause("task/bulk");
      const { id } = await tasks.trigger<typeof bulk>("bulk", { name: "held" });
      await ended((await tasks.trigger<typeof live>("live", { name: "free" })).id);
      expect((await runs.retrieve(id)).status).toBe("QUEUED");
      await concurrencyLimits.resume("task/bulk");
      expect((await ended(id)).status).toBe("COMPLETED");
    });
  });

  describe.concurrent("a queue", () => {
    test("of one runs its runs one after the other, in their order, urgent ones first", async () => {
      const start = (name: string, priority = 0) =>
        tasks.trigger<typeof oneAtATime>(
          "one-at-a-time",
          { name, ms: 400 },
          { concurrencyKey: "order", priority },
        );
      const first = await start("first");
      await reaches(first.id, "EXECUTING");
      const rest = [await start("second"), await start("third"), await start("urgent", 60)];
      const periods = (await Promise.all([first, ...rest].map(({ id }) => ended(id)))).flatMap(
        ({ output }) => output ?? [],
      );
      const inOrder = periods.toSorted((a, b) => a.from - b.from);
      expect(inOrder.map(({ name }) => name)).toEqual(["first", "urgent", "second", "third"]);
      for (const [n, { from }] of inOrder.entries())
        expect(from).toBeGreaterThanOrEqual(inOrder[n - 1]?.to ?? 0);
    });

    test("has a limit for each concurrency key", async () => {
      const start = (key: string, ms: number) =>
        tasks.trigger<typeof oneAtATime>("one-at-a-time", { name: key, ms }, { concurrencyKey: key });
      const busy = await start("key a", 60_000);
      await reaches(busy.id, "EXECUTING");
      const held = await start("key a", 0);
      const free = await start("key b", 0);
      expect((await ended(free.id)).status).toBe("COMPLETED");
      expect((await runs.retrieve(held.id)).status).toBe("QUEUED");
      await runs.cancel(busy.id);
      expect((await ended(held.id)).status).toBe("COMPLETED");
    });

    test("never runs more than its limit", async () => {
      const { batchId } = await tasks.batchTrigger<typeof twoAtATime>(
        "two-at-a-time",
        Array.from({ length: 8 }, (_, n) => ({ payload: { name: String(n) } })),
      );
      const { runs: ids } = await until(
        async () => {
          const found = await batch.retrieve(batchId);
          return found.status === "COMPLETED" ? found : undefined;
        },
        { everyMs: 200, what: "end of the batch", progress: () => cli().output() },
      );
      const all = await Promise.all(ids.map((id) => runs.retrieve<typeof twoAtATime>(id)));
      const periods = all.flatMap(({ output }) => output ?? []);
      expect(periods).toHaveLength(8);
      for (const { from } of periods)
        expect(periods.filter((other) => other.from <= from && from < other.to).length).toBeLessThanOrEqual(
          2,
        );
    });
  });
}
