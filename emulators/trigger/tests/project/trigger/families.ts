import { batch, idempotencyKeys, metadata, task } from "@trigger.dev/sdk";
import { echo, fails, type succeedsAt } from "./basics.ts";

export const marksParent = task({
  id: "marks-parent",
  run: async ({ n }: { n: number }) => {
    metadata.parent.increment("total", n);
    metadata.root.append("seen", n);
    await metadata.flush();
  },
});

export const asksOne = task({
  id: "asks-one",
  run: async () => {
    const good = await echo.triggerAndWait({ n: 1 });
    const bad = await fails.triggerAndWait();
    return {
      good: good.ok && good.output.payload,
      bad: bad.ok ? undefined : String(bad.error),
    };
  },
});

export const asksMany = task({
  id: "asks-many",
  run: async ({ count }: { count: number }) => {
    const items = Array.from({ length: count }, (_, n) => ({ payload: { n } }));
    const { id, runs } = await echo.batchTriggerAndWait(items);
    return { batch: id, answers: runs.map((run) => run.ok && run.output.payload) };
  },
});

export const asksDifferent = task({
  id: "asks-different",
  run: async () => {
    const { runs } = await batch.triggerAndWait<typeof echo | typeof succeedsAt | typeof fails>([
      { id: "echo", payload: "first" },
      { id: "succeeds-at", payload: { attempt: 2 } },
      { id: "fails", payload: {} },
    ]);
    return runs.map(({ taskIdentifier, ok }) => ({ taskIdentifier, ok }));
  },
});

/** The same key again: the second child is the first one. Twice in one batch, it would wait forever. */
export const asksTwice = task({
  id: "asks-twice",
  run: async () => {
    const idempotencyKey = await idempotencyKeys.create("once");
    const first = await echo.triggerAndWait(1, { idempotencyKey });
    const second = await echo.triggerAndWait(2, { idempotencyKey });
    const { runs } = await echo.batchTriggerAndWait([
      { payload: 3, options: { idempotencyKey } },
      { payload: 4 },
    ]);
    return [first, second, ...runs].map((result) => result.ok && result.output.payload);
  },
});

export const sums = task({
  id: "sums",
  run: async () => {
    await marksParent.batchTriggerAndWait([1, 2, 3].map((n) => ({ payload: { n } })));
  },
});

export const waitsForSlow = task({
  id: "waits-for-slow",
  run: async () => {
    const { slow } = await import("./times.ts");
    const result = await slow.triggerAndWait({ ms: 30_000 });
    return { ok: result.ok };
  },
});

export const startsSlow = task({
  id: "starts-slow",
  run: async () => {
    const { slow } = await import("./times.ts");
    const child = await slow.trigger({ ms: 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    return child.id;
  },
});
