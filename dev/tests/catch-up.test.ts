import { Hono } from "hono";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { serve } from "../../tests/helpers/serve.ts";
import { until } from "../../tests/helpers/until.ts";
import { keepCaughtUp } from "../catch-up.ts";
import { scheduledTasks } from "../scheduled-tasks.ts";

const BOTH = scheduledTasks();

let triggered: string[];
let ended: number;
let server: Awaited<ReturnType<typeof serve>>;

beforeEach(async () => {
  triggered = [];
  ended = 0;
  let asked = 0;
  const app = new Hono()
    .post("/api/v1/tasks/:task/trigger", (c) => {
      triggered.push(c.req.param("task"));
      return c.json({ id: `run_${triggered.length}` });
    })
    .get("/api/v3/runs/:id", (c) => {
      asked += 1;
      const isExecuting = asked % 2 === 1;
      if (!isExecuting) ended += 1;
      return c.json({ isQueued: false, isExecuting, isWaiting: false });
    });
  server = await serve([app]);
  vi.useFakeTimers({ toFake: ["setInterval"] });
});

afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

function restarts() {
  let call = () => {};
  return { onRestart: (callback: () => void) => (call = callback), restart: () => call() };
}

it("runs the scheduled tasks at the start, at each restart, and every minute", async () => {
  const [stack, cli] = [restarts(), restarts()];
  const variables = { TRIGGER_API_URL: server.url, TRIGGER_SECRET_KEY: "tr_dev_x" };
  await keepCaughtUp(variables, stack, cli);
  expect(triggered).toEqual(BOTH);

  for (const [times, happen] of [
    [2, cli.restart],
    [3, stack.restart],
    [4, () => vi.advanceTimersByTime(60_000)],
  ] as const) {
    happen();
    await until(() => ended === 2 * times, { what: "both tasks to have run again" });
    expect(triggered).toEqual(Array.from({ length: times }, () => BOTH).flat());
  }
});
