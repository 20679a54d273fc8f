import { runs, tasks } from "@trigger.dev/sdk";
import { describe, expect, test } from "vitest";
import { until } from "../../../../tests/helpers/until.ts";
import { ended, fresh, reaches } from "./context.ts";

export function triggerTests() {
  describe.concurrent("a trigger", () => {
    test("with a used idempotency key returns the run that has it, for this task only", async () => {
      const idempotencyKey = await fresh("same");
      const first = await tasks.trigger("echo", 1, { idempotencyKey });
      const second = await tasks.trigger("echo", 2, { idempotencyKey });
      const other = await tasks.trigger("succeeds-at", { attempt: 1 }, { idempotencyKey });
      expect(second.id).toBe(first.id);
      expect(other.id).not.toBe(first.id);
      await ended(first.id);
      expect((await tasks.trigger("echo", 3, { idempotencyKey })).id).toBe(first.id);
    });

    test("starts a new run when the key has expired or its run has failed", async () => {
      const short = { idempotencyKey: await fresh("short"), idempotencyKeyTTL: "1s" };
      const first = await tasks.trigger("echo", 1, short);
      await until(async () => (await tasks.trigger("echo", 2, short)).id !== first.id, {
        what: "end of the key",
      });

      const failing = { idempotencyKey: await fresh("failing") };
      const failed = await tasks.trigger("fails", {}, failing);
      await ended(failed.id);
      expect((await tasks.trigger("fails", {}, failing)).id).not.toBe(failed.id);
    });

    test("with a delay starts the run then, and one without sense immediately", async () => {
      const { id } = await tasks.trigger("echo", 1, { delay: "3s" });
      const bogus = await tasks.trigger("echo", 1, { delay: "bogus" });
      const before = await runs.retrieve(id);
      expect(before).toMatchObject({ status: "DELAYED", isQueued: true });
      expect((await ended(bogus.id)).delayedUntil).toBeUndefined();
      const run = await ended(id);
      expect(Number(run.startedAt)).toBeGreaterThanOrEqual(Number(before.createdAt) + 3_000);
    });

    test("can be put off and called off while it is delayed", async () => {
      const { id } = await tasks.trigger("echo", 1, { delay: "1h" });
      await runs.reschedule(id, { delay: "1s" });
      expect((await ended(id)).status).toBe("COMPLETED");
      const other = await tasks.trigger("echo", 1, { delay: "1h" });
      await runs.cancel(other.id);
      await reaches(other.id, "CANCELED");
    });

    test("is debounced: the first payload, once, after the last trigger", async () => {
      const key = `debounce ${process.pid} ${Date.now()}`;
      const first = await tasks.trigger("echo", "first", { debounce: { key, delay: "2s" } });
      const second = await tasks.trigger("echo", "second", { debounce: { key, delay: "2s" } });
      expect(second.id).toBe(first.id);
      expect((await ended(first.id)).output).toMatchObject({ payload: "first" });
    });

    test("expires when its ttl is over before it starts", async () => {
      const blocker = await tasks.trigger(
        "one-at-a-time",
        { name: "blocks", ms: 4_000 },
        { concurrencyKey: "ttl" },
      );
      await reaches(blocker.id, "EXECUTING");
      const { id } = await tasks.trigger(
        "one-at-a-time",
        { name: "late" },
        { concurrencyKey: "ttl", ttl: "1s" },
      );
      const run = await until(
        async () => {
          const found = await runs.retrieve(id);
          return found.status === "EXPIRED" ? found : undefined;
        },
        { what: "end of the run" },
      );
      expect(run).toMatchObject({
        isCompleted: false,
        error: { message: "Run expired because the TTL (1s) was reached" },
      });
    });

    test("may have ten tags of 128 characters and no more", async () => {
      const eleven = Array.from({ length: 11 }, (_, n) => `tag ${n}`);
      await expect(tasks.trigger("echo", 1, { tags: eleven })).rejects.toMatchObject({ status: 422 });
      await expect(tasks.trigger("echo", 1, { tags: "x".repeat(129) })).rejects.toMatchObject({
        status: 400,
      });
      const { id } = await tasks.trigger("echo", 1, { tags: ["x".repeat(128)] });
      expect((await ended(id)).status).toBe("COMPLETED");
    });

    test("can be repeated", async () => {
      const first = await tasks.trigger("echo", { n: 5 }, { tags: "again" });
      await ended(first.id);
      const { id } = await runs.replay(first.id);
      expect(id).not.toBe(first.id);
      expect(await ended(id)).toMatchObject({ status: "COMPLETED", payload: { n: 5 }, tags: ["again"] });
    });
  });
}
