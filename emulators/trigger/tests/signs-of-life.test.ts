import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock, minutes, seconds } from "./helpers/fake-clock.ts";
import { SECRET_KEY, serve, type TestServer } from "./helpers/serve.ts";
import { type Held, Worker } from "./helpers/worker.ts";

describe("a run whose process is not heard of", () => {
  const clock = new FakeClock();
  let server: TestServer;
  let worker: Worker;
  beforeEach(async () => {
    server = await serve({ clock });
    worker = new Worker(server.url);
    await worker.register([{ id: "job", retry: { maxAttempts: 5 } }]);
  });
  afterEach(() => server.close());

  const heartbeat = ({ run, snapshot }: Held) =>
    worker.call("POST", `/engine/v1/dev/runs/${run}/snapshots/${snapshot}/heartbeat`, { cpu: 0, memory: 0 });

  test("is queued again when it was not started within 60 s", async () => {
    const { id } = await worker.trigger("job");
    const lost = await worker.take();
    clock.advance(seconds(59.9));
    expect((await worker.retrieve(id)).status).toBe("DEQUEUED");
    clock.advance(seconds(0.1));
    expect((await worker.retrieve(id)).status).toBe("QUEUED");

    const found = await worker.take();
    expect(found.run).toBe(id);
    await expect(worker.start(lost)).rejects.toThrow("409");
    expect((await worker.start(found)).execution.attempt.number).toBe(1);
  });

  test("is canceled, not retried, after 5 min of silence", async () => {
    const { id } = await worker.trigger("job");
    await worker.start(await worker.take());
    clock.advance(minutes(5) - 1);
    expect((await worker.retrieve(id)).status).toBe("EXECUTING");
    clock.advance(1);
    expect(await worker.retrieve(id)).toMatchObject({
      status: "CANCELED",
      error: { message: "trigger.dev internal error (TASK_RUN_STALLED_EXECUTING)" },
    });
  });

  test("goes on as long as its heartbeats come", async () => {
    const { id } = await worker.trigger("job");
    const held = await worker.start(await worker.take());
    for (let minute = 0; minute < 20; minute += 4) {
      clock.advance(minutes(4));
      expect((await heartbeat(held)).json).toEqual({ ok: true });
    }
    expect((await worker.retrieve(id)).status).toBe("EXECUTING");
  });

  test("is given up soon after the last CLI has gone, unless its holder asks for its snapshot", async () => {
    const gone = new AbortController();
    const headers = { authorization: `Bearer ${SECRET_KEY}` };
    await fetch(`${server.url}/engine/v1/dev/presence`, { headers, signal: gone.signal });
    const held = await worker.trigger("job");
    await worker.start(await worker.take());
    const orphan = await worker.trigger("job");
    await worker.start(await worker.take());
    const unstarted = await worker.trigger("job");
    await worker.take();
    gone.abort();
    await expect.poll(() => clock.next).toBe(seconds(10));
    clock.advance(seconds(10));
    expect((await worker.take()).run).toBe(unstarted.id);
    await worker.latest(held.id);
    clock.advance(seconds(10));
    expect((await worker.retrieve(orphan.id)).status).toBe("CANCELED");
    expect((await worker.retrieve(held.id)).status).toBe("EXECUTING");
  });

  test("is not kept alive by heartbeats for a state that it has left", async () => {
    const { id } = await worker.trigger("job");
    const before = await worker.take();
    await worker.start(before);
    clock.advance(minutes(4));
    expect((await heartbeat(before)).status).toBe(200);
    clock.advance(minutes(1));
    expect((await worker.retrieve(id)).status).toBe("CANCELED");
  });

  test("is retried immediately when its process dies as a wait begins or ends, before its owner learned of it", async () => {
    const parent = await worker.trigger("job");
    const held = await worker.start(await worker.take());
    const wait = { parentRunId: parent.id, resumeParentOnCompletion: true };
    await worker.trigger("job", wait);
    expect((await worker.latest(parent.id)).snapshot.executionStatus).toBe("EXECUTING_WITH_WAITPOINTS");
    const retry = { delay: 100, timestamp: clock.now() + 100 };
    const failed = await worker.fail(held, retry);
    expect(failed.attemptStatus).toBe("RETRY_IMMEDIATELY");
    await expect(worker.fail(held, retry)).rejects.toThrow("400");
    expect((await worker.start(failed)).execution.attempt.number).toBe(2);
  });

  test("is canceled permanently 60 s after it was asked to stop", async () => {
    const { id } = await worker.trigger("job");
    await worker.start(await worker.take());
    await worker.call("POST", `/api/v2/runs/${id}/cancel`);
    const asked = await worker.retrieve(id);
    expect(asked.status).toBe("CANCELED");
    expect(asked.finishedAt).toBeUndefined();
    clock.advance(seconds(60));
    expect((await worker.retrieve(id)).finishedAt).toEqual(new Date(clock.now()));
    expect((await worker.latest(id)).snapshot.executionStatus).toBe("FINISHED");
  });

  test("is canceled immediately when the CLI's watchdog reports that the CLI has ended", async () => {
    const { id } = await worker.trigger("job");
    await worker.start(await worker.take());
    const { json } = await worker.call("POST", "/engine/v1/dev/disconnect", {
      runFriendlyIds: [id, "run_unknown"],
    });
    expect(json).toEqual({ cancelled: 1 });
    expect(await worker.retrieve(id)).toMatchObject({
      status: "CANCELED",
      error: { message: "Dev session ended (CLI exited)" },
    });
  });
});

describe("a long poll", () => {
  test("answers as soon as a run is triggered, and with nothing after ten seconds", async () => {
    const clock = new FakeClock();
    const server = await serve({ clock });
    const worker = new Worker(server.url);
    await worker.register([{ id: "job" }]);
    const parkedPoll = async () => {
      const { timers } = clock;
      const answer = worker.dequeue();
      await expect.poll(() => clock.timers).toBe(timers + 1);
      return { answer };
    };

    const first = await parkedPoll();
    const { id } = await worker.trigger("job");
    expect(await first.answer).toMatchObject({ run: id });

    const second = await parkedPoll();
    clock.advance(seconds(10));
    expect(await second.answer).toBeUndefined();
    await server.close();
  });

  test("whose client has gone takes no run", async () => {
    const clock = new FakeClock();
    const server = await serve({ clock });
    const worker = new Worker(server.url);
    await worker.register([{ id: "job" }]);
    const { timers } = clock;
    const gone = new AbortController();
    const poll = worker.dequeue(gone.signal);
    await expect.poll(() => clock.timers).toBe(timers + 1);
    gone.abort();
    await expect(poll).rejects.toThrow("abort");
    await expect.poll(() => clock.timers).toBe(timers);
    const { id } = await worker.trigger("job");
    expect(await worker.take()).toMatchObject({ run: id });
    await server.close();
  });
});
