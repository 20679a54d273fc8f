import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { batch, configure, idempotencyKeys, runs, tasks, wait } from "@trigger.dev/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../until.ts";
import type { echo, large, succeedsAt, yearOf } from "../project/trigger/basics.ts";
import type {
  asksDifferent,
  asksMany,
  asksOne,
  asksTwice,
  sums,
  waitsForSlow,
} from "../project/trigger/families.ts";
import type {
  oneAtATime,
  twoAtATime,
  waitsFor,
  waitsForToken,
  waitsUntilPast,
} from "../project/trigger/times.ts";
import { type Cli, copyProject, removeProject, startCli } from "./cli.ts";
import { findTarget } from "./target.ts";

const target = await findTarget();
const project = await copyProject();
let cli: Cli;

const final = new Set([
  "COMPLETED",
  "FAILED",
  "CANCELED",
  "CRASHED",
  "SYSTEM_FAILURE",
  "EXPIRED",
  "TIMED_OUT",
]);

/** Waits for the end of a run. */
function ended(id: string, timeoutMs = 30_000) {
  return until(
    async () => {
      const run = await runs.retrieve(id);
      return final.has(run.status) && run.finishedAt ? run : undefined;
    },
    { timeoutMs, everyMs: 100, what: `the end of ${id}` },
  );
}

function reaches(id: string, status: string, timeoutMs = 20_000) {
  return until(async () => (await runs.retrieve(id)).status === status, {
    timeoutMs,
    everyMs: 50,
    what: `${id} to be ${status}`,
  });
}

/** A key that no earlier run of the suite has used on this server. */
const fresh = (name: string) =>
  idempotencyKeys.create(`${name} ${process.pid} ${Date.now()}`, { scope: "global" });

beforeAll(async () => {
  configure({ baseURL: target.apiUrl, accessToken: target.secretKey });
  cli = await startCli(project, target);
}, 90_000);

afterAll(async () => {
  await cli?.stop();
  await target.close();
  await removeProject(project);
});

describe.concurrent("a task", { timeout: 60_000 }, () => {
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
      output: { payload: { text: "hi", list: [1, null] }, task: "echo", run: id, project: target.projectRef },
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
    await until(async () => (await runs.retrieve(id)).attemptCount === 1, { what: "the first attempt" });
    await reaches(id, "QUEUED");
    await runs.cancel(id);
    expect((await ended(id)).status).toBe("CANCELED");
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
    const { id } = await tasks.trigger("marks-itself", {}, { tags: "given", metadata: { from: "trigger" } });
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
    expect(cli.versions()).toBeGreaterThan(1);
  });

  test("runs on its schedule while the CLI is there", { timeout: 90_000 }, async () => {
    const seen = await until(
      async () => readFile(path.join(project, "every-minute.json"), "utf8").catch(() => undefined),
      { timeoutMs: 80_000, everyMs: 500, what: "the scheduled run" },
    );
    expect(JSON.parse(seen)).toMatchObject({ isDate: true, timezone: "UTC", type: "DECLARATIVE" });
    expect(JSON.parse(seen).timestamp).toMatch(/:00\.000Z$/);
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

describe.concurrent("a trigger", { timeout: 60_000 }, () => {
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
      what: "the key to expire",
    });

    const failing = { idempotencyKey: await fresh("failing") };
    const failed = await tasks.trigger("fails", {}, failing);
    await ended(failed.id);
    expect((await tasks.trigger("fails", {}, failing)).id).not.toBe(failed.id);
  });

  test("with a delay starts the run then, and one without sense at once", async () => {
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
    expect((await ended(other.id)).status).toBe("CANCELED");
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
      { what: "the run to expire" },
    );
    expect(run).toMatchObject({
      isCompleted: false,
      error: { message: "Run expired because the TTL (1s) was reached" },
    });
  });

  test("may have ten tags of 128 characters and no more", async () => {
    const eleven = Array.from({ length: 11 }, (_, n) => `tag ${n}`);
    await expect(tasks.trigger("echo", 1, { tags: eleven })).rejects.toMatchObject({ status: 422 });
    await expect(tasks.trigger("echo", 1, { tags: "x".repeat(129) })).rejects.toMatchObject({ status: 400 });
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

describe.concurrent("a parent", { timeout: 60_000 }, () => {
  test("gets its child's output, or its error", async () => {
    const { id } = await tasks.trigger<typeof asksOne>("asks-one", undefined);
    const run = await ended(id);
    expect(run.output).toMatchObject({ good: { n: 1 } });
    expect(run.output?.bad).toContain("it never works");
    expect(run.relatedRuns.children).toHaveLength(2);
    expect(run.relatedRuns.children?.[0]).toMatchObject({ depth: 1, triggerFunction: "triggerAndWait" });
  });

  test("gets the answers of a batch in the order of its items", async () => {
    const { id } = await tasks.trigger<typeof asksMany>("asks-many", { count: 12 });
    const { output } = await ended(id);
    expect(output?.answers).toEqual(Array.from({ length: 12 }, (_, n) => ({ n })));
    const { status, runCount } = await batch.retrieve(output?.batch ?? "");
    expect({ status, runCount }).toEqual({ status: "COMPLETED", runCount: 12 });
  });

  test("can wait for different tasks together", async () => {
    const { id } = await tasks.trigger<typeof asksDifferent>("asks-different", undefined);
    expect((await ended(id)).output).toEqual([
      { taskIdentifier: "echo", ok: true },
      { taskIdentifier: "succeeds-at", ok: true },
      { taskIdentifier: "fails", ok: false },
    ]);
  });

  test("that asks twice with one key gets the first answer again", async () => {
    const { id } = await tasks.trigger<typeof asksTwice>("asks-twice", undefined);
    expect((await ended(id)).output).toEqual([1, 1, 1, 1]);
  });

  test("receives the metadata that its children give it", async () => {
    const { id } = await tasks.trigger<typeof sums>("sums", undefined);
    const run = await ended(id);
    expect(run.metadata).toMatchObject({ total: 6 });
    expect(Object(run.metadata).seen.toSorted()).toEqual([1, 2, 3]);
  });

  test("goes on when its child is cancelled", async () => {
    const { id } = await tasks.trigger<typeof waitsForSlow>("waits-for-slow", undefined);
    const child = await until(async () => (await runs.retrieve(id)).relatedRuns.children?.[0], {
      what: "the child",
    });
    await reaches(child.id, "EXECUTING");
    await runs.cancel(child.id);
    expect((await ended(id)).output).toEqual({ ok: false });
  });

  test("takes its children with it when it is cancelled", async () => {
    const { id } = await tasks.trigger("starts-slow", undefined);
    const child = await until(async () => (await runs.retrieve(id)).relatedRuns.children?.[0], {
      what: "the child",
    });
    await reaches(child.id, "EXECUTING");
    await runs.cancel(id);
    expect((await runs.retrieve(id)).status).toBe("CANCELED");
    expect((await ended(id)).error?.message).toBe("Canceled by user");
    expect((await ended(child.id)).status).toBe("CANCELED");
  });
});

describe.concurrent("a wait", { timeout: 60_000 }, () => {
  test("of more than five seconds lasts as long as it says", async () => {
    const { id } = await tasks.trigger<typeof waitsFor>("waits-for", { seconds: 6 });
    const { output } = await ended(id);
    expect(output?.ms).toBeGreaterThanOrEqual(5_900);
    expect(output?.ms).toBeLessThan(9_000);
  });

  test("until a time that has passed is over at once", async () => {
    const { id } = await tasks.trigger<typeof waitsUntilPast>("waits-until-past", undefined);
    expect((await ended(id)).output?.ms).toBeLessThan(5_000);
  });

  test("for a token ends with what the token is completed with, whoever comes first", async () => {
    const token = await wait.createToken({ timeout: "10m" });
    const { id } = await tasks.trigger<typeof waitsForToken>("waits-for-token", { token: token.id });
    await reaches(id, "EXECUTING");
    await wait.completeToken(token, { answer: 42 });
    await wait.completeToken(token, { answer: 43 });
    expect((await ended(id)).output).toEqual({ output: { answer: 42 } });

    const late = await tasks.trigger<typeof waitsForToken>("waits-for-token", { token: token.id });
    expect((await ended(late.id)).output).toEqual({ output: { answer: 42 } });
  });

  test("for a token ends with an error at the token's timeout", async () => {
    const token = await wait.createToken({ timeout: "2s" });
    const { id } = await tasks.trigger<typeof waitsForToken>("waits-for-token", { token: token.id });
    expect(Object((await ended(id)).output).error).toContain("timed out");
  });

  test("keeps its place in a queue of one", async () => {
    const options = { queue: "task/one-at-a-time", concurrencyKey: "wait" };
    const { id } = await tasks.trigger<typeof waitsFor>("waits-for", { seconds: 6 }, options);
    const next = await tasks.trigger<typeof oneAtATime>(
      "one-at-a-time",
      { name: "next" },
      { concurrencyKey: "wait" },
    );
    const first = await ended(id);
    const second = await ended(next.id);
    expect(Number(second.startedAt)).toBeGreaterThanOrEqual(Number(first.finishedAt) - 50);
  });
});

describe.concurrent("a queue", { timeout: 60_000 }, () => {
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
    const start = (key: string) =>
      tasks.trigger<typeof oneAtATime>("one-at-a-time", { name: key, ms: 2_500 }, { concurrencyKey: key });
    const periods = await Promise.all(
      [await start("key a"), await start("key b")].map(async ({ id }) => (await ended(id)).output),
    );
    const [a, b] = periods;
    expect(a && b && a.from < b.to && b.from < a.to).toBe(true);
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
      { timeoutMs: 40_000, everyMs: 200, what: "the batch" },
    );
    const all = await Promise.all(ids.map((id) => runs.retrieve<typeof twoAtATime>(id)));
    const periods = all.flatMap(({ output }) => output ?? []);
    expect(periods).toHaveLength(8);
    for (const { from } of periods)
      expect(periods.filter((other) => other.from <= from && from < other.to).length).toBeLessThanOrEqual(2);
  });
});

describe("under stress", () => {
  test("a burst of 500 runs loses none and runs none twice", { timeout: 120_000 }, async () => {
    const { batchId } = await tasks.batchTrigger(
      "echo",
      Array.from({ length: 500 }, (_, n) => ({ payload: { n } })),
    );
    const done = await until(
      async () => {
        const found = await batch.retrieve(batchId);
        return found.status === "COMPLETED" ? found : undefined;
      },
      { timeoutMs: 110_000, everyMs: 500, what: "the burst" },
    );
    expect(new Set(done.runs).size).toBe(500);
    const all = [];
    for (let from = 0; from < 500; from += 50)
      all.push(...(await Promise.all(done.runs.slice(from, from + 50).map((id) => runs.retrieve(id)))));
    expect(
      all.filter(({ status, attemptCount }) => status === "COMPLETED" && attemptCount === 1),
    ).toHaveLength(500);
    expect(new Set(all.map(({ payload }) => Object(payload).n)).size).toBe(500);
  });

  test("a CLI that dies cancels what it ran; what waited runs when it is back", {
    timeout: 120_000,
  }, async () => {
    const running = await tasks.trigger(
      "one-at-a-time",
      { name: "running", ms: 60_000 },
      { concurrencyKey: "death" },
    );
    const waiting = await tasks.trigger("one-at-a-time", { name: "waiting" }, { concurrencyKey: "death" });
    await reaches(running.id, "EXECUTING");
    await cli.kill();
    expect(await ended(running.id)).toMatchObject({ status: "CANCELED" });
    cli = await startCli(project, target);
    // A poll that the dead CLI left open may have swallowed the run: it is queued again after a minute.
    expect(await ended(waiting.id, 90_000)).toMatchObject({ status: "COMPLETED" });
  });
});
