import { RetrieveBatchV2Response } from "@trigger.dev/core/v3";
import { describe, expect, test } from "vitest";
import { FakeClock, minutes } from "./helpers/fake-clock.ts";
import { workerForTests } from "./helpers/worker-for-tests.ts";

const ndjson = { "content-type": "application/x-ndjson" };
const SETTLED = 250;

describe("a batch", () => {
  const clock = new FakeClock();
  const on = workerForTests([{ id: "parent" }, { id: "job" }], { clock });

  async function create(body: Record<string, unknown>) {
    const answer = await on.worker.call("POST", "/api/v3/batches", body);
    return { status: answer.status, json: answer.json, id: String(Object(answer.json).id) };
  }
  const send = (id: string, items: unknown[]) =>
    on.worker.call(
      "POST",
      `/api/v3/batches/${id}/items`,
      items.map((item) => JSON.stringify(item)).join("\n"),
      ndjson,
    );
  const retrieve = async (id: string) =>
    RetrieveBatchV2Response.parse((await on.worker.call("GET", `/api/v2/batches/${id}`)).json);
  const item = (index: number, options = {}) => ({
    index,
    task: "job",
    payload: index,
    options,
  });

  test("is created, filled, worked off and complete when its runs are", async () => {
    const { id, status, json } = await create({ runCount: 2 });
    expect(status).toBe(202);
    expect(json).toMatchObject({ runCount: 2, isCached: false });
    expect(await retrieve(id)).toMatchObject({ status: "PENDING", runs: [] });

    const filled = await send(id, [item(0), item(1)]);
    expect(filled.json).toEqual({ id, itemsAccepted: 2, itemsDeduplicated: 0, sealed: true });
    expect(await retrieve(id)).toMatchObject({ status: "PROCESSING", runs: [] });

    clock.advance(0);
    const processed = await retrieve(id);
    expect(processed).toMatchObject({ status: "PENDING", processing: { errors: [] } });
    expect(processed.runs).toHaveLength(2);
    await on.worker.runNext();
    clock.advance(SETTLED);
    expect((await retrieve(id)).status).toBe("PENDING");
    await on.worker.runNext();
    clock.advance(SETTLED);
    expect((await retrieve(id)).status).toBe("COMPLETED");
  });

  test("takes each index once, however often it is sent", async () => {
    const { id } = await create({ runCount: 2 });
    const half = await send(id, [item(0), item(0)]);
    expect(half.json).toMatchObject({
      itemsAccepted: 1,
      itemsDeduplicated: 1,
      sealed: false,
      enqueuedCount: 1,
      expectedCount: 2,
    });
    expect((await send(id, [item(0), item(1)])).json).toMatchObject({
      itemsAccepted: 1,
      itemsDeduplicated: 1,
      sealed: true,
    });
    expect((await send(id, [item(0), item(1)])).json).toMatchObject({
      itemsAccepted: 0,
      itemsDeduplicated: 0,
      sealed: true,
    });
    clock.advance(0);
    expect(new Set((await retrieve(id)).runs).size).toBe(2);
  });

  test("with a used idempotency key is the first one", async () => {
    const first = await create({ runCount: 1, idempotencyKey: "k" });
    expect(await create({ runCount: 1, idempotencyKey: "k" })).toMatchObject({
      status: 200,
      id: first.id,
      json: { isCached: true },
    });
  });

  test("lists the run that an item's idempotency key finds", async () => {
    const known = await on.worker.trigger("job", { idempotencyKey: "k" });
    const { id } = await create({ runCount: 1 });
    await send(id, [item(0, { idempotencyKey: "k" })]);
    clock.advance(0);
    expect((await retrieve(id)).runs).toEqual([known.id]);
    clock.advance(SETTLED);
    expect((await retrieve(id)).status).toBe("COMPLETED");
  });

  test.each(["idempotencyKey", "debounce"])(
    "with the same %s for two items waits forever, and the log says so",
    async (option) => {
      await on.worker.trigger("parent");
      const parent = await on.worker.start(await on.worker.take());
      const { id } = await create({ runCount: 2, parentRunId: parent.run, resumeParentOnCompletion: true });
      const options =
        option === "debounce" ? { debounce: { key: "k", delay: "1s" } } : { idempotencyKey: "k" };
      await send(id, [item(0, options), item(1, options)]);
      clock.advance(0);
      expect((await retrieve(id)).runs).toHaveLength(1);
      expect(on.server.lines.filter((line) => line.startsWith(`${id} waits forever`))).toHaveLength(1);
      clock.advance(1_000);
      await on.worker.runNext();
      clock.advance(minutes(2));
      expect((await retrieve(id)).status).toBe("PENDING");
      expect((await on.worker.latest(parent.run)).snapshot.executionStatus).toBe("EXECUTING_WITH_WAITPOINTS");
    },
  );

  test("says which items could not be triggered, and runs the others", async () => {
    const { id } = await create({ runCount: 2 });
    await send(id, [item(0), item(1, { lockToVersion: "19990101.1" })]);
    clock.advance(0);
    const batch = await retrieve(id);
    expect(batch.status).toBe("PARTIAL_FAILED");
    expect(batch.processing.errors).toMatchObject([{ index: 1, errorCode: "BATCH_ITEM_COULD_NOT_TRIGGER" }]);
    expect((await on.worker.retrieve(batch.runs[1] ?? "")).status).toBe("SYSTEM_FAILURE");
    await on.worker.runNext();
    clock.advance(SETTLED);
    expect((await retrieve(id)).status).toBe("COMPLETED");
  });

  test.each([
    [400, "a line that is no JSON", ["{"]],
    [400, "an item without a task", [JSON.stringify({ index: 0 })]],
    [422, "an index outside the batch", [JSON.stringify({ index: 2, task: "job" })]],
  ])("answers %i to %s and takes nothing of that request", async (status, _, lines) => {
    const { id } = await create({ runCount: 2 });
    const body = [JSON.stringify(item(1)), ...lines].join("\n");
    expect((await on.worker.call("POST", `/api/v3/batches/${id}/items`, body, ndjson)).status).toBe(status);
    expect((await send(id, [item(1)])).json).toMatchObject({ itemsAccepted: 1 });
  });

  test("answers 415 to items of another content type, 404 to an unknown batch, 422 to more than 1,000 items", async () => {
    const { id } = await create({ runCount: 1 });
    expect((await on.worker.call("POST", `/api/v3/batches/${id}/items`, "{}")).status).toBe(415);
    expect((await send("batch_unknown", [item(0)])).status).toBe(404);
    expect((await create({ runCount: 1_001 })).status).toBe(422);
  });

  test("gives a waiting parent every answer at its index", async () => {
    await on.worker.trigger("parent");
    const parent = await on.worker.start(await on.worker.take());
    const { id } = await create({ runCount: 3, parentRunId: parent.run, resumeParentOnCompletion: true });
    expect((await on.worker.latest(parent.run)).snapshot.executionStatus).toBe("EXECUTING_WITH_WAITPOINTS");
    await send(id, [item(2), item(0), item(1)]);
    clock.advance(0);
    for (let n = 0; n < 3; n += 1) {
      const held = await on.worker.start(await on.worker.take());
      await on.worker.succeed(held, JSON.parse(held.execution.run.payload));
    }
    clock.advance(SETTLED + 50);
    const { snapshot, completedWaitpoints, batch } = await on.worker.latest(parent.run);
    expect(snapshot.executionStatus).toBe("EXECUTING");
    expect(batch?.friendlyId).toBe(id);
    const answers = completedWaitpoints.filter(({ type }) => type === "RUN");
    expect(answers.toSorted((a, b) => Number(a.index) - Number(b.index)).map(({ output }) => output)).toEqual(
      ["0", "1", "2"],
    );
    expect(completedWaitpoints.filter(({ type }) => type === "BATCH")).toHaveLength(1);
  });

  test("whose items never come is given up after half an hour, and its parent goes on", async () => {
    await on.worker.trigger("parent");
    const parent = await on.worker.start(await on.worker.take());
    const { id } = await create({ runCount: 1, parentRunId: parent.run, resumeParentOnCompletion: true });
    for (let n = 0; n < 10; n += 1) {
      const { snapshot } = await on.worker.latest(parent.run);
      await on.worker.call(
        "POST",
        `/engine/v1/dev/runs/${parent.run}/snapshots/${snapshot.friendlyId}/heartbeat`,
        {},
      );
      clock.advance(minutes(3));
    }
    clock.advance(50);
    expect((await retrieve(id)).status).toBe("ABORTED");
    expect((await on.worker.latest(parent.run)).snapshot.executionStatus).toBe("EXECUTING");
  });
});
