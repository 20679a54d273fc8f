import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { FakeClock } from "./helpers/fake-clock.ts";
import { serve, type TestServer } from "./helpers/serve.ts";
import { type Held, Worker } from "./helpers/worker.ts";

describe("a burst of runs while the CLI has no idle process", () => {
  const clock = new FakeClock();
  let server: TestServer;
  let worker: Worker;
  let first: Held;
  let second: Promise<Held | undefined>;

  beforeEach(async () => {
    server = await serve({ clock, limits: { processPatienceMs: 1_000 } });
    worker = new Worker(server.url);
    await worker.register([{ id: "work" }]);
    for (let n = 0; n < 2; n += 1) await worker.trigger("work");
    first = await worker.start(await worker.take());
    const timers = clock.timers;
    second = worker.dequeue();
    // Its poll has arrived, and the time is set at which it need not wait any longer.
    await until(() => clock.timers > timers + 1, { what: "the poll" });
  });
  afterEach(() => server.close());

  test("the second waits for the first one's process and gets it as soon as it is free", async () => {
    await worker.succeed(first);
    expect((await second)?.run).not.toBe(first.run);
  });

  test("the second gets another process when the first one's is busy for longer than a start takes", async () => {
    const before = clock.now();
    clock.advance(clock.next);
    expect((await second)?.run).not.toBe(first.run);
    expect(clock.now() - before).toBe(1_000);
  });
});
