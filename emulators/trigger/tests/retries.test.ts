import { describe, expect, test } from "vitest";
import { FakeClock, seconds } from "./helpers/fake-clock.ts";
import { builtInError } from "./helpers/worker.ts";
import { workerForTests } from "./helpers/worker-for-tests.ts";

const retry = { maxAttempts: 4, factor: 2, minTimeoutInMs: 1_000, maxTimeoutInMs: 60_000, randomize: false };

describe("an attempt that fails", () => {
  const clock = new FakeClock();
  const on = workerForTests([{ id: "retrying", retry }, { id: "once" }], { clock });

  const in_ = (delay: number) => ({ delay, timestamp: clock.now() + delay });

  test("with a retry delay under 30 s is retried by the process that holds the run", async () => {
    const { id } = await on.worker.trigger("retrying");
    const first = await on.worker.start(await on.worker.take());
    const failed = await on.worker.fail(first, in_(seconds(29.999)));
    expect(failed.attemptStatus).toBe("RETRY_IMMEDIATELY");
    expect(await on.worker.retrieve(id)).toMatchObject({ status: "EXECUTING", attemptCount: 1 });

    const second = await on.worker.start(failed);
    expect(second.execution.attempt.number).toBe(2);
    await on.worker.succeed(second, "done");
    expect(await on.worker.retrieve(id)).toMatchObject({
      status: "COMPLETED",
      output: "done",
      attemptCount: 2,
    });
  });

  test("answers the number of the attempt that failed", async () => {
    await on.worker.trigger("retrying");
    const first = await on.worker.start(await on.worker.take());
    const { run } = await on.worker.fail(first, in_(500));
    expect((await on.worker.latest(run)).run.attemptNumber).toBe(1);
  });

  test("with a retry delay of 30 s goes back to the queue and comes again when it is due", async () => {
    const { id } = await on.worker.trigger("retrying");
    const failed = await on.worker.fail(await on.worker.start(await on.worker.take()), in_(seconds(30)));
    expect(failed.attemptStatus).toBe("RETRY_QUEUED");
    expect(await on.worker.retrieve(id)).toMatchObject({ status: "QUEUED" });

    clock.advance(seconds(30));
    expect((await on.worker.start(await on.worker.take())).execution.attempt.number).toBe(2);
  });

  test("does not come back before its time", async () => {
    await on.worker.trigger("retrying");
    await on.worker.fail(await on.worker.start(await on.worker.take()), in_(seconds(31)));
    await on.worker.trigger("once");
    clock.advance(seconds(30.9));
    const other = await on.worker.take();
    expect((await on.worker.start(other)).execution.task.id).toBe("once");
  });

  test("of a run with priority does not come back before its time either", async () => {
    await on.worker.trigger("retrying", { priority: 3_600 });
    await on.worker.fail(await on.worker.start(await on.worker.take()), in_(seconds(31)));
    await on.worker.trigger("once");
    clock.advance(seconds(30.9));
    const other = await on.worker.take();
    expect((await on.worker.start(other)).execution.task.id).toBe("once");
  });

  test("frees its place in the queue while it waits there, and keeps it while its process sleeps", async () => {
    await on.worker.register([{ id: "one", retry, queue: { concurrencyLimit: 1 } }, { id: "other" }]);
    await on.worker.trigger("one", {}, 1);
    await on.worker.trigger("one", {}, 2);
    const first = await on.worker.start(await on.worker.take());
    const sleeping = await on.worker.fail(first, in_(seconds(20)));
    await on.worker.trigger("other");
    expect((await on.worker.start(await on.worker.take())).execution.task.id).toBe("other");

    await on.worker.fail(await on.worker.start(sleeping), in_(seconds(40)));
    const second = await on.worker.start(await on.worker.take());
    expect(second.execution.run.payload).toBe("2");
  });

  test("of a task without retry settings is the last", async () => {
    const { id } = await on.worker.trigger("once");
    const done = await on.worker.fail(await on.worker.start(await on.worker.take()), in_(500));
    expect(done.attemptStatus).toBe("RUN_FINISHED");
    const run = await on.worker.retrieve(id);
    expect(run).toMatchObject({ status: "FAILED", isFailed: true, attemptCount: 1 });
    expect(run.error).toMatchObject({ name: "Error", message: "no" });
  });

  test("is the last when the attempts given at the trigger are used up", async () => {
    const { id } = await on.worker.trigger("retrying", { maxAttempts: 1 });
    await on.worker.fail(await on.worker.start(await on.worker.take()), in_(500));
    expect(await on.worker.retrieve(id)).toMatchObject({ status: "FAILED", attemptCount: 1 });
  });

  test("without a retry from the client is the last, unless its process has died", async () => {
    const { id } = await on.worker.trigger("retrying");
    const aborted = await on.worker.fail(await on.worker.start(await on.worker.take()));
    expect(aborted.attemptStatus).toBe("RUN_FINISHED");
    expect((await on.worker.retrieve(id)).status).toBe("FAILED");

    await on.worker.trigger("retrying");
    const exited = await on.worker.complete(await on.worker.start(await on.worker.take()), {
      ok: false,
      error: { type: "INTERNAL_ERROR", code: "TASK_PROCESS_EXITED_WITH_NON_ZERO_CODE", message: "code 1" },
    });
    expect(exited.attemptStatus).toBe("RETRY_QUEUED");
  });

  test("comes back at most eleven times, whatever maxAttempts says", async () => {
    const { id } = await on.worker.trigger("retrying", { maxAttempts: 50 });
    for (let attempt = 1; attempt <= 11; attempt += 1) {
      const failed = await on.worker.fail(await on.worker.start(await on.worker.take()), in_(seconds(30)));
      expect(failed.attemptStatus).toBe("RETRY_QUEUED");
      clock.advance(seconds(30));
    }
    const last = await on.worker.fail(await on.worker.start(await on.worker.take()), in_(seconds(30)));
    expect(last.attemptStatus).toBe("RUN_FINISHED");
    expect(await on.worker.retrieve(id)).toMatchObject({
      status: "SYSTEM_FAILURE",
      attemptCount: 12,
      error: { message: "trigger.dev internal error (TASK_RUN_DEQUEUED_MAX_RETRIES)" },
    });
  });

  test("of a run that was out of memory is retried on the machine set for that, once", async () => {
    await on.worker.register([{ id: "hungry", retry: { ...retry, outOfMemory: { machine: "large-1x" } } }]);
    await on.worker.trigger("hungry");
    const oom = { ok: false, error: { type: "INTERNAL_ERROR", code: "TASK_PROCESS_OOM_KILLED" } } as const;
    const first = await on.worker.start(await on.worker.take());
    expect(first.execution.machine.name).toBe("small-1x");
    expect((await on.worker.complete(first, oom)).attemptStatus).toBe("RETRY_QUEUED");
    clock.advance(seconds(1));
    const second = await on.worker.start(await on.worker.take());
    expect(second.execution.machine.name).toBe("large-1x");
    await on.worker.complete(second, oom);
    expect((await on.worker.retrieve(second.run)).status).toBe("CRASHED");
  });

  test("has started once: a second start from the same snapshot is refused with 409", async () => {
    await on.worker.trigger("once");
    const held = await on.worker.take();
    await on.worker.start(held);
    await expect(on.worker.start(held)).rejects.toThrow("409");
  });

  test("is reported once: a second report is refused with 400 and changes nothing", async () => {
    await on.worker.trigger("once");
    const held = await on.worker.start(await on.worker.take());
    const done = await on.worker.succeed(held);
    await expect(on.worker.succeed(held)).rejects.toThrow("400");
    await expect(on.worker.complete(done, { ok: false, error: builtInError })).rejects.toThrow("400");
    expect((await on.worker.retrieve(held.run)).status).toBe("COMPLETED");
  });
});
