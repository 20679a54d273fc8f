import { describe, expect, test } from "vitest";
import { days, FakeClock, hours, minutes } from "./helpers/fake-clock.ts";
import { workerForTests } from "./helpers/worker-for-tests.ts";

describe("a server that has kept enough", () => {
  const clock = new FakeClock();
  const on = workerForTests([{ id: "job" }], { clock, limits: { finishedRuns: 2, finishedBytes: 50_000 } });

  const isKept = async (id: string) => (await on.worker.call("GET", `/api/v3/runs/${id}`)).status === 200;
  const finish = async (payload: unknown = null) => {
    const { id } = await on.worker.trigger("job", {}, payload);
    await on.worker.runNext();
    clock.advance(1);
    return id;
  };

  test("forgets the runs that ended first, and never an open one", async () => {
    const open = await on.worker.trigger("job", { delay: "30d" });
    const [first, second, third] = [await finish(), await finish(), await finish()];
    clock.advance(minutes(10));
    expect(await Promise.all([first, second, third, open.id].map(isKept))).toEqual([false, true, true, true]);
  });

  test("counts the size of payloads, too", async () => {
    const first = await finish("x".repeat(40_000));
    const second = await finish("x".repeat(40_000));
    clock.advance(minutes(10));
    expect(await Promise.all([first, second].map(isKept))).toEqual([false, true]);
  });

  test("deletes a stored payload a day after the last run that uses it", async () => {
    const upload = await on.worker.call("PUT", "/api/v2/packets/trigger/large.json");
    const { presignedUrl, storagePath } = Object(upload.json);
    expect((await fetch(presignedUrl, { method: "PUT", body: '{"n":1}' })).status).toBe(200);
    const read = async () => {
      const { json } = await on.worker.call("GET", `/api/v1/packets/${storagePath}`);
      return (await fetch(Object(json).presignedUrl)).status;
    };
    await on.worker.trigger("job", { payloadType: "application/store", ttl: "30d" }, storagePath);
    clock.advance(days(2));
    expect(await read()).toBe(200);
    await on.worker.runNext();
    clock.advance(1);
    await finish();
    await finish();
    clock.advance(hours(1));
    expect(await read()).toBe(404);
  });

  test("refuses an address of a stored payload that has expired or was made up", async () => {
    const { json } = await on.worker.call("PUT", "/api/v2/packets/a.json");
    const { presignedUrl } = Object(json);
    expect((await fetch(presignedUrl.replace("a.json", "b.json"), { method: "PUT", body: "1" })).status).toBe(
      403,
    );
    clock.advance(minutes(5) + 1);
    expect((await fetch(presignedUrl, { method: "PUT", body: "1" })).status).toBe(403);
  });
});
