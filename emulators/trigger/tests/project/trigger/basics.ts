import { AbortTaskRunError, logger, metadata, tags, task } from "@trigger.dev/sdk";

const twoQuickRetries = {
  maxAttempts: 3,
  minTimeoutInMs: 100,
  maxTimeoutInMs: 100,
  factor: 1,
  randomize: false,
};

export const echo = task({
  id: "echo",
  run: async (payload: unknown, { ctx }) => {
    logger.info("echo runs", { attempt: ctx.attempt.number });
    return { payload, task: ctx.task.id, run: ctx.run.id, tags: ctx.run.tags, project: ctx.project.ref };
  },
});

/** JSON has no Date; the SDK's own encoding keeps it. */
export const yearOf = task({
  id: "year-of",
  run: async ({ date }: { date: Date }) => ({
    year: date.getUTCFullYear(),
    next: new Date(date.getTime() + 1),
  }),
});

export const succeedsAt = task({
  id: "succeeds-at",
  retry: twoQuickRetries,
  run: async ({ attempt }: { attempt: number }, { ctx }) => {
    if (ctx.attempt.number < attempt) throw new RangeError(`attempt ${ctx.attempt.number} is too early`);
    return { attempt: ctx.attempt.number };
  },
});

export const fails = task({
  id: "fails",
  retry: { maxAttempts: 1 },
  run: async () => {
    throw new TypeError("it never works");
  },
});

export const aborts = task({
  id: "aborts",
  retry: twoQuickRetries,
  run: async () => {
    throw new AbortTaskRunError("there is no point");
  },
});

export const retriesLate = task({
  id: "retries-late",
  retry: { maxAttempts: 2, minTimeoutInMs: 45_000, maxTimeoutInMs: 45_000, factor: 1, randomize: false },
  run: async () => {
    throw new Error("not now");
  },
});

export const exits = task({
  id: "exits",
  retry: { maxAttempts: 2, minTimeoutInMs: 100, maxTimeoutInMs: 100, factor: 1, randomize: false },
  run: async () => {
    process.exit(1);
  },
});

export const busyTooLong = task({
  id: "busy-too-long",
  maxDuration: 5,
  retry: { maxAttempts: 1 },
  run: async () => {
    const end = Date.now() + 20_000;
    while (Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  },
});

export const marksItself = task({
  id: "marks-itself",
  run: async () => {
    await tags.add("added-in-run");
    metadata.set("step", "done").increment("count", 2).append("list", "a").append("list", "b");
  },
});

export const large = task({
  id: "large",
  run: async ({ text }: { text: string }) => ({ length: text.length, text }),
});
