import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { FakeClock, hours, minutes, seconds } from "./helpers/fake-clock.ts";
import { serve } from "./helpers/serve.ts";
import { spawnServer } from "./helpers/spawn-server.ts";
import { RefusedError, Worker } from "./helpers/worker.ts";

const [RUNS, KILLS] = [200, 4];

test("kill -9 at random moments loses no accepted run and repeats no completed one", async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), "local-trigger-kill-"));
  let server = await spawnServer(dataDir);
  let client = new Worker(server.url);
  await client.register([{ id: "job" }]);
  const polls = new Set<AbortController>();

  async function killNowAndThen() {
    for (let n = 0; n < KILLS; n += 1) {
      await setTimeout(100 + Math.random() * 400);
      await server.kill();
      server = await spawnServer(dataDir);
      client = new Worker(server.url);
    }
  }

  const completions: string[] = [];
  /** Repeats a request until the server answers, like the SDK and the CLI. */
  async function insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (error instanceof RefusedError || completions.length === RUNS) throw error;
        await setTimeout(100);
      }
    }
  }

  const accepted = new Set<string>();
  async function triggerAll() {
    for (let n = 0; n < RUNS; n += 1) {
      const options = { ttl: "1h", idempotencyKey: `request ${n}` };
      accepted.add((await insist(() => client.trigger("job", options, n))).id);
      if (n % 10 === 0) await setTimeout(20);
    }
  }

  async function poll() {
    const open = new AbortController();
    polls.add(open);
    return client.dequeue(open.signal).finally(() => polls.delete(open));
  }

  async function work() {
    while (completions.length < RUNS) {
      const taken = await insist(poll).catch(() => undefined);
      if (!taken) continue;
      const held = await insist(() => client.start(taken));
      await insist(() => client.succeed(held));
      completions.push(taken.run);
    }
    for (const open of polls) open.abort();
  }

  await Promise.all([killNowAndThen(), triggerAll(), work(), work(), work()]);
  expect(accepted.size).toBe(RUNS);
  expect(completions.toSorted()).toEqual([...accepted].toSorted());
  for (const id of accepted)
    expect(await client.retrieve(id)).toMatchObject({ status: "COMPLETED", attemptCount: 1 });
  await server.kill();
  await rm(dataDir, { recursive: true, force: true });
});

test("a second server cannot open the same data folder", async () => {
  const first = await serve();
  await expect(serve({ dataDir: first.dataDir })).rejects.toThrow("is in use");
  await first.close();
});

test("a call whose answer was lost can be repeated after a restart, and counts once", async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), "local-trigger-repeat-"));
  let server = await serve({ dataDir });
  let worker = new Worker(server.url);
  const restart = async () => {
    await server.close();
    server = await serve({ dataDir });
    worker = new Worker(server.url);
  };
  await worker.register([{ id: "job", retry: { maxAttempts: 3 } }]);
  const { id } = await worker.trigger("job");
  const taken = await worker.take();
  const started = await worker.start(taken);
  await restart();
  const again = await worker.start(taken);
  expect(again).toMatchObject({ snapshot: started.snapshot, execution: { attempt: { number: 1 } } });

  const failed = await worker.fail(again, { delay: 100, timestamp: Date.now() + 100 });
  await restart();
  expect(await worker.fail(again, { delay: 100, timestamp: Date.now() + 100 })).toEqual(failed);
  const second = await worker.start(failed);
  await worker.succeed(second, "done");
  await restart();
  expect((await worker.succeed(second, "done")).attemptStatus).toBe("RUN_FINISHED");
  await expect(worker.start(taken)).rejects.toThrow("409");
  expect(await worker.retrieve(id)).toMatchObject({ status: "COMPLETED", output: "done", attemptCount: 2 });
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
});

test("an attempt that failed as the answer to its wait was lost is tried again after a restart", async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), "local-trigger-wait-"));
  let server = await serve({ dataDir });
  let worker = new Worker(server.url);
  await worker.register([{ id: "job", retry: { maxAttempts: 3 } }]);
  const { id } = await worker.trigger("job");
  const held = await worker.start(await worker.take());
  await worker.trigger("job", { parentRunId: id, resumeParentOnCompletion: true });
  await server.close();

  server = await serve({ dataDir });
  worker = new Worker(server.url);
  const failed = await worker.fail(held, { delay: 100, timestamp: Date.now() + 100 });
  expect(failed.attemptStatus).toBe("RETRY_IMMEDIATELY");
  expect((await worker.start(failed)).execution.attempt.number).toBe(2);
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
});

test("a run that nobody holds after a restart keeps its place for 20 s, not for five minutes", async () => {
  const clock = new FakeClock();
  const dataDir = await mkdtemp(path.join(tmpdir(), "local-trigger-orphan-"));
  let server = await serve({ clock, dataDir });
  let worker = new Worker(server.url);
  await worker.register([{ id: "job" }]);
  const running = await worker.trigger("job");
  const alive = await worker.start(await worker.take());
  const orphan = await worker.trigger("job");
  await worker.start(await worker.take());
  const unstarted = await worker.trigger("job");
  await worker.take();
  await server.close();

  server = await serve({ clock, dataDir });
  worker = new Worker(server.url);
  clock.advance(seconds(10));
  expect((await worker.take()).run).toBe(unstarted.id);
  expect((await worker.latest(alive.run)).snapshot.friendlyId).toBe(alive.snapshot);
  clock.advance(seconds(10));
  expect((await worker.retrieve(orphan.id)).status).toBe("CANCELED");
  expect((await worker.retrieve(running.id)).status).toBe("EXECUTING");
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
});

test("timers go on after a restart", async () => {
  const clock = new FakeClock();
  const dataDir = await mkdtemp(path.join(tmpdir(), "local-trigger-restart-"));
  let server = await serve({ clock, dataDir });
  let worker = new Worker(server.url);
  await worker.register([{ id: "job", retry: { maxAttempts: 3 } }]);
  const retried = await worker.trigger("job");
  const held = await worker.start(await worker.take());
  await worker.fail(held, { delay: minutes(2), timestamp: clock.now() + minutes(2) });
  const delayed = await worker.trigger("job", { delay: "1h" });
  const { json } = await worker.call("POST", "/api/v1/waitpoints/tokens", { timeout: "3h" });
  const known = await worker.trigger("job", { idempotencyKey: "k", delay: "30d" });
  const expiring = await worker.trigger("job", { ttl: "30s" });
  await server.close();

  server = await serve({ clock, dataDir });
  worker = new Worker(server.url);
  expect(await worker.trigger("job", { idempotencyKey: "k" })).toMatchObject({
    id: known.id,
    isCached: true,
  });
  clock.advance(seconds(30));
  expect((await worker.retrieve(expiring.id)).status).toBe("EXPIRED");
  clock.advance(minutes(2));
  const again = await worker.start(await worker.take());
  expect(again).toMatchObject({ run: retried.id, execution: { attempt: { number: 2 } } });
  clock.advance(hours(1));
  expect((await worker.retrieve(delayed.id)).status).toBe("QUEUED");
  clock.advance(hours(2));
  const token = await worker.call("GET", `/api/v1/waitpoints/tokens/${Object(json).id}`);
  expect(token.json).toMatchObject({ status: "TIMED_OUT" });
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
});

test("an environment has another id in each data folder, and keeps it", async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), "local-trigger-environment-"));
  const idsOf = async (options: Parameters<typeof serve>[0]) => {
    const server = await serve(options);
    const worker = new Worker(server.url);
    await worker.register([{ id: "job" }]);
    await worker.trigger("job");
    const { environment, project } = (await worker.start(await worker.take())).execution;
    const config = Object((await worker.call("GET", "/engine/v1/dev/config")).json);
    expect(config.environmentId).toBe(environment.id);
    await server.close();
    return [environment.id, project.id];
  };
  const first = await idsOf({ dataDir });
  expect(await idsOf({ dataDir })).toEqual(first);
  const other = await idsOf({});
  expect(new Set([...first, ...other]).size).toBe(4);
  await rm(dataDir, { recursive: true, force: true });
});
