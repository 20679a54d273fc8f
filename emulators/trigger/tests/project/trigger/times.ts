import { writeFile } from "node:fs/promises";
import { concurrencyLimit, queue, schedules, task, wait } from "@trigger.dev/sdk";

const sleep = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

export const slow = task({
  id: "slow",
  run: async ({ ms }: { ms: number }, { signal }) => sleep(ms, signal),
});

/** Records when it ran, so that the suite can see what ran at the same time. */
async function period(name: string, ms: number) {
  const from = Date.now();
  await sleep(ms);
  return { name, from, to: Date.now() };
}

export const oneAtATime = task({
  id: "one-at-a-time",
  queue: { concurrencyLimit: 1 },
  run: async ({ name, ms = 100 }: { name: string; ms?: number }) => period(name, ms),
});

export const pair = queue({ name: "pair", concurrencyLimit: 2 });

export const twoAtATime = task({
  id: "two-at-a-time",
  queue: pair,
  run: async ({ name, ms = 300 }: { name: string; ms?: number }) => period(name, ms),
});

export const provider = concurrencyLimit({ name: "provider", total: 3 });

export const live = task({
  id: "live",
  concurrency: provider,
  run: async ({ name, ms = 300 }: { name: string; ms?: number }) => period(name, ms),
});

export const bulk = task({
  id: "bulk",
  concurrency: [{ total: 2 }, provider],
  run: async ({ name, ms = 300 }: { name: string; ms?: number }) => period(name, ms),
});

export const onePerKey = task({
  id: "one-per-key",
  concurrency: { perKey: 1, total: 2 },
  run: async ({ name, ms = 300 }: { name: string; ms?: number }) => period(name, ms),
});

export const waitsFor = task({
  id: "waits-for",
  run: async ({ seconds }: { seconds: number }) => {
    const from = Date.now();
    await wait.for({ seconds });
    return { ms: Date.now() - from };
  },
});

export const waitsUntilPast = task({
  id: "waits-until-past",
  run: async () => {
    const from = Date.now();
    await wait.until({ date: new Date(from - 60_000) });
    return { ms: Date.now() - from };
  },
});

export const waitsForToken = task({
  id: "waits-for-token",
  run: async ({ token }: { token: string }) => {
    const result = await wait.forToken<{ answer: number }>(token);
    return result.ok ? { output: result.output } : { error: result.error.message };
  },
});

export const everyMinute = schedules.task({
  id: "every-minute",
  cron: "* * * * *",
  run: async ({ timestamp, timezone, upcoming, type }) => {
    const seen = { timestamp, isDate: timestamp instanceof Date, timezone, type, upcoming: upcoming.length };
    await writeFile("every-minute.json", JSON.stringify(seen));
  },
});
