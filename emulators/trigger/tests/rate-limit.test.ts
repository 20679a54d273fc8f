import { describe, expect, test } from "vitest";
import { FakeClock, seconds } from "./helpers/fake-clock.ts";
import { ACCESS_TOKEN } from "./helpers/serve.ts";
import { workerForTests } from "./helpers/worker-for-tests.ts";

const stats = async (url: string): Promise<unknown> => (await fetch(`${url}/local/trigger/stats`)).json();

describe("a limit of 24 API requests a minute", () => {
  const clock = new FakeClock();
  const on = workerForTests([{ id: "job" }], { clock, requestsPerMinute: 24 });
  const statuses = async (count: number) => {
    const answers: number[] = [];
    for (let n = 0; n < count; n += 1) answers.push((await on.worker.call("GET", "/api/v1/runs")).status);
    return answers;
  };

  test("answers half a minute's requests at first, then 429 until the next ten seconds give some back", async () => {
    // The worker's registration was the first of twelve.
    expect(await statuses(11)).toEqual(Array(11).fill(200));
    const { status, headers, json } = await on.worker.call("GET", "/api/v1/runs");
    expect(status).toBe(429);
    expect(headers.get("x-ratelimit-limit")).toBe("12");
    expect(headers.get("x-ratelimit-remaining")).toBe("0");
    expect(headers.get("x-ratelimit-reset")).toBe(`${clock.now() + seconds(10)}`);
    expect(json).toMatchObject({
      error: "Rate limit exceeded 0/12 requests remaining. Retry in 10 seconds.",
    });
    clock.advance(seconds(9.9));
    expect(await statuses(1)).toEqual([429]);
    clock.advance(seconds(0.1));
    expect(await statuses(5)).toEqual([200, 200, 200, 200, 429]);
    expect(await stats(on.server.url)).toEqual({ requests: 19, refused: 3 });
  });

  test("counts each key by itself, and not what the CLI and its processes ask of the engine", async () => {
    await statuses(12);
    const cli = { authorization: `Bearer ${ACCESS_TOKEN}` };
    expect((await on.worker.call("GET", "/api/v2/whoami", undefined, cli)).status).toBe(200);
    expect((await on.worker.call("GET", "/engine/v1/dev/config")).status).toBe(200);
  });
});

describe("without a limit", () => {
  const on = workerForTests([{ id: "job" }], {});

  test("API requests are counted only", async () => {
    const { headers } = await on.worker.trigger("job");
    expect(headers.get("x-ratelimit-limit")).toBeNull();
    expect(await stats(on.server.url)).toEqual({ requests: 2, refused: 0 });
  });
});
