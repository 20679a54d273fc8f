import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { runs, tasks } from "@trigger.dev/sdk";
import { describe, expect, test } from "vitest";
import { until } from "../../../../tests/helpers/until.ts";
import type { echo, large, succeedsAt, yearOf } from "../project/trigger/basics.ts";
import { cli, ended, project, reaches, target } from "./context.ts";

export function taskTests() {
  describe.concurrent("a task", () => {
    test("gets its payload and context, and its output comes back", async () => {
      const { id } = await tasks.trigger<typeof echo>(
        "echo",
        { text: "hi", list: [1, null] },
        { tags: ["a", "b"] },
      );
      const run = await ended(id);
      expect(run).toMatchObject({
        status: "COMPLETED",
        isSuccess: true,
        attemptCount: 1,
        payload: { text: "hi", list: [1, null] },
        output: {
          payload: { text: "hi", list: [1, null] },
          task: "echo",
          run: id,
          project: target.projectRef,
        },
      });
      expect(run.tags.toSorted()).toEqual(["a", "b"]);
    });

    test("gets dates as dates", async () => {
      const { id } = await tasks.trigger<typeof yearOf>("year-of", {
        date: new Date("2024-05-06T07:08:09.000Z"),
      });
      expect((await ended(id)).output).toEqual({ year: 2024, next: "2024-05-06T07:08:09.001Z" });
    });

    test("is retried after an error, as often as it says", async () => {
      const second = await tasks.trigger<typeof succeedsAt>("succeeds-at", { attempt: 2 });
      const never = await tasks.trigger<typeof succeedsAt>("succeeds-at", { attempt: 9 });
      expect(await ended(second.id)).toMatchObject({
        status: "COMPLETED",
        output: { attempt: 2 },
        attemptCount: 2,
      });
      expect(await ended(never.id)).toMatchObject({
        status: "FAILED",
        isFailed: true,
        attemptCount: 3,
        error: { name: "RangeError", message: "attempt 3 is too early" },
      });
    });

    test("is not retried when it aborts", async () => {
      const { id } = await tasks.trigger("aborts", {});
      expect(await ended(id)).toMatchObject({ status: "FAILED", attemptCount: 1 });
    });

    test("goes back to its queue when its retry is more than 30 s away", async () => {
      const { id } = await tasks.trigger("retries-late", {});
      await until(async () => (await runs.retrieve(id)).attemptCount === 1, {
        what: "first attempt",
        progress: () => cli().output(),
      });
      await reaches(id, "QUEUED");
      await runs.cancel(id);
      await reaches(id, "CANCELED");
    });

    test("whose process exits is retried in another one, and then has crashed", async () => {
      const { id } = await tasks.trigger("exits", {});
      expect(await ended(id)).toMatchObject({ status: "CRASHED", attemptCount: 2 });
    });

    test("is stopped at its maxDuration", async () => {
      const { id } = await tasks.trigger("busy-too-long", {});
      const run = await ended(id);
      expect(run).toMatchObject({ status: "TIMED_OUT", isCompleted: false });
    });

    test("can set tags and metadata of its run", async () => {
      const { id } = await tasks.trigger(
        "marks-itself",
        {},
        { tags: "given", metadata: { from: "trigger" } },
      );
      const run = await ended(id);
      expect(run.tags.toSorted()).toEqual(["added-in-run", "given"]);
      expect(run.metadata).toEqual({ from: "trigger", step: "done", count: 2, list: ["a", "b"] });
    });

    test("waits for a version that has it", async () => {
      const { id } = await tasks.trigger("comes-later", { n: 1 });
      await reaches(id, "PENDING_VERSION");
      const code = `import { task } from "@trigger.dev/sdk";
        export const comesLater = task({ id: "comes-later", run: async () => "here" });`;
      await writeFile(path.join(project, "trigger/comes-later.ts"), code);
      expect(await ended(id)).toMatchObject({ status: "COMPLETED", output: "here" });
      expect(cli().versions()).toBeGreaterThan(1);
    });

    test("runs on its schedule while the CLI is there", async () => {
      const seen = await until(
        async () => readFile(path.join(project, "every-minute.json"), "utf8").catch(() => undefined),
        { everyMs: 500, what: "scheduled run", stuckMs: 120_000 },
      );
      expect(JSON.parse(seen)).toMatchObject({ isDate: true, timezone: "UTC", type: "DECLARATIVE" });
      expect(JSON.parse(seen).timestamp).toMatch(/:00\.000Z$/);
    });

    test.runIf(target.isLocal)("can be watched until it ends", async () => {
      const { id } = await tasks.trigger<typeof succeedsAt>(
        "succeeds-at",
        { attempt: 2 },
        { tags: "watched" },
      );
      const seen = [];
      for await (const run of runs.subscribeToRun<typeof succeedsAt>(id)) seen.push(run);
      expect(seen.at(-1)).toMatchObject({
        id,
        status: "COMPLETED",
        tags: ["watched"],
        output: { attempt: 2 },
      });
      expect(seen.length).toBeGreaterThan(1);
    });

    test.runIf(target.isLocal)("gets a payload of more than 512 KB, and may answer with one", async () => {
      const text = "x".repeat(600_000);
      const { id } = await tasks.trigger<typeof large>("large", { text });
      const run = await ended(id);
      expect(run.status).toBe("COMPLETED");
      const { output } = await runs.retrieve<typeof large>(id);
      expect(output?.length).toBe(600_000);
      expect(output?.text).toHaveLength(600_000);
    });
  });
}
