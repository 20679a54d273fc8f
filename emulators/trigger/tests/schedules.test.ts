import { ScheduleObject } from "@trigger.dev/core/v3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { FakeClock, minutes, seconds } from "./helpers/fake-clock.ts";
import { SECRET_KEY, serve, type TestServer } from "./helpers/serve.ts";
import { Worker } from "./helpers/worker.ts";

describe("a schedule", () => {
  const clock = new FakeClock();
  let server: TestServer;
  let worker: Worker;
  let presence: AbortController;
  beforeEach(async () => {
    server = await serve({ clock });
    worker = new Worker(server.url);
    presence = new AbortController();
  });
  afterEach(async () => {
    presence.abort();
    await server.close();
  });

  const declare = (cron?: string, timezone = "UTC") =>
    worker.register([
      { id: "tidy", ...(cron && { triggerSource: "schedule", schedule: { cron, timezone } }) },
      { id: "other" },
    ]);

  async function connect() {
    const headers = { authorization: `Bearer ${SECRET_KEY}` };
    const stream = await fetch(`${server.url}/engine/v1/dev/presence`, { headers, signal: presence.signal });
    expect(stream.headers.get("content-type")).toContain("text/event-stream");
  }

  const runsOf = async (task: string) =>
    server.trigger.listRuns({ "filter[taskIdentifier]": task }).data.map(({ id }) => id);
  const nthRun = (n: number) =>
    until(async () => (await runsOf("tidy")).at(-n), { what: "the scheduled run" });
  const settled = async () => {
    await worker.call("GET", "/api/v1/queues");
    return (await runsOf("tidy")).length;
  };

  test("triggers its task at its times, with what the task should know", async () => {
    await declare("*/5 * * * *", "Europe/Berlin");
    await connect();
    clock.advance(minutes(5));
    const id = await nthRun(1);
    const first = await worker.retrieve(id);
    expect(first.payload).toMatchObject({
      type: "DECLARATIVE",
      timestamp: new Date(clock.now()).toISOString(),
      timezone: "Europe/Berlin",
      upcoming: [5, 10, 15, 20, 25].map((n) => new Date(clock.now() + minutes(n)).toISOString()),
    });
    expect(first.schedule).toMatchObject({ generator: { type: "CRON", expression: "*/5 * * * *" } });

    const last = clock.now();
    clock.advance(minutes(5));
    const second = await worker.retrieve(await nthRun(2));
    expect(second.payload.lastTimestamp).toBe(new Date(last).toISOString());
  });

  test("does nothing while no CLI is connected", async () => {
    await declare("* * * * *");
    clock.advance(minutes(10));
    expect(await settled()).toBe(0);
    await connect();
    clock.advance(minutes(1));
    await nthRun(1);
    presence.abort();
    await until(() => !server.trigger.summarizeRuns().connected || clock.advance(seconds(5)), {
      what: "the CLI to be missed",
    });
    clock.advance(minutes(5));
    expect(await settled()).toBe(1);
  });

  test("follows the code: a changed one moves, a removed one ends", async () => {
    await declare("* * * * *");
    await connect();
    await declare("0 0 1 1 *");
    clock.advance(minutes(5));
    expect(await settled()).toBe(0);
    await declare();
    const { data } = Object((await worker.call("GET", "/api/v1/schedules")).json);
    expect(data).toEqual([]);
  });

  test("can be made, changed, stopped and removed by the API", async () => {
    await declare();
    await connect();
    const body = { task: "tidy", cron: "0 * * * *", deduplicationKey: "d", externalId: "user_1" };
    const create = async () =>
      ScheduleObject.parse((await worker.call("POST", "/api/v1/schedules", body)).json);
    const made = await create();
    expect(made).toMatchObject({ type: "IMPERATIVE", active: true, timezone: "UTC", externalId: "user_1" });
    expect((await create()).id).toBe(made.id);

    const path = `/api/v1/schedules/${made.id}`;
    await worker.call("PUT", path, { task: "tidy", cron: "* * * * *", externalId: "user_1" });
    clock.advance(minutes(1));
    expect((await worker.retrieve(await nthRun(1))).payload).toMatchObject({
      type: "IMPERATIVE",
      externalId: "user_1",
    });
    expect((await worker.call("POST", `${path}/deactivate`)).json).toMatchObject({
      active: false,
      nextRun: null,
    });
    clock.advance(minutes(5));
    expect(await settled()).toBe(1);
    await worker.call("POST", `${path}/activate`);
    clock.advance(minutes(1));
    await nthRun(2);
    await worker.call("DELETE", path);
    clock.advance(minutes(5));
    expect(await settled()).toBe(2);
    expect((await worker.call("GET", path)).status).toBe(404);
  });

  test("needs an expression that comes due", async () => {
    const body = { task: "tidy", cron: "every day", deduplicationKey: "d" };
    expect((await worker.call("POST", "/api/v1/schedules", body)).status).toBe(422);
  });
});
