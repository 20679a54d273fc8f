import { describe, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { ok, status } from "./receiver.ts";
import { sequinForTests } from "./sequin-for-tests.ts";

const sequin = sequinForTests(
  "create table posts (id int primary key, title text); create table users (id int primary key)",
);
const { sql, start, insert, ids, requests, settled } = sequin;

describe("failures", () => {
  test("a message is delivered again until it is acknowledged, always with the same key, and later each time", async () => {
    let answers = 0;
    sequin.receiver.answer = (received, response) => (++answers < 5 ? status(400) : ok)(received, response);
    await start();
    await insert(1);
    await requests(5);
    await settled(1);
    expect(sequin.receiver.requests).toHaveLength(5);
    expect(new Set(sequin.receiver.messages().map(({ metadata }) => metadata.idempotency_key)).size).toBe(1);
    const waits = sequin.receiver.requests
      .slice(1)
      .map(({ at }, before) => at - (sequin.receiver.requests[before]?.at ?? 0));
    expect(waits.map((wait, n) => wait >= 20 * 2 ** n * 0.85 - 2)).toEqual([true, true, true, true]);
    expect(await sequin.stack.deliveries()).toMatchObject([
      { status: "delivered", deliverCount: 5, httpStatus: 200, nextTryAt: null },
    ]);
  });

  test("the console sees the last answer and the next try, and the terminal one line about each delivery", async () => {
    sequin.receiver.answer = (_, response) => void response.writeHead(422).end("no title");
    await start({}, { pace: { backoffBaseMs: 60_000 } });
    const before = Date.now();
    await insert(12);
    const [failed] = await until(async () => {
      const list = await sequin.stack.deliveries();
      return list[0]?.deliverCount === 1 ? list : undefined;
    });
    expect(failed).toMatchObject({
      sink: "sink",
      action: "insert",
      table: "public.posts",
      status: "pending",
      httpStatus: 422,
      answer: "no title",
    });
    const line = /^sink: insert public\.posts 12 → 422 in \d+ ms, try 2 after (\d\d\.\d) s$/;
    const [, said = ""] =
      line.exec(sequin.stack.lines.at(-1) ?? "") ?? expect.fail(`It said ${sequin.stack.lines.at(-1)}`);
    // A minute, 15 % more or less, after its failure, which was between the insert and now.
    expect(Math.abs(Number(said) - 60)).toBeLessThanOrEqual(9);
    const failedAt = (failed?.nextTryAt?.getTime() ?? 0) - Number(said) * 1_000;
    expect(failedAt).toBeGreaterThanOrEqual(before - 50);
    expect(failedAt).toBeLessThanOrEqual(Date.now() + 50);
    sequin.receiver.answer = ok;
    expect(sequin.stack.retryNow()).toBe(1);
    await settled(1);
    expect(sequin.stack.lines.at(-1)).toMatch(/^sink: insert public\.posts 12 → 200 in \d+ ms$/);
  });

  test("a failing row does not hold up other rows", async () => {
    sequin.receiver.answer = (received, response) =>
      (received.messages[0]?.record.id === 1 ? status(500) : ok)(received, response);
    await start({}, { pace: { backoffBaseMs: 60_000 } });
    await insert(1, 2, 3);
    await until(() => [2, 3].every((id) => ids().includes(id)));
    await until(
      async () => (await sequin.stack.deliveries()).filter((one) => one.status === "delivered").length === 2,
    );
  });

  test("a failed message is overtaken by the newer one of its row and delivered after it", async () => {
    let failed = false;
    sequin.receiver.answer = (received, response) => {
      const fail = !failed;
      failed = true;
      (fail ? status(400) : ok)(received, response);
    };
    await start({}, { pace: { backoffBaseMs: 300 } });
    await sql("begin; insert into posts values (1, 'old'); update posts set title = 'new'; commit");
    await requests(3);
    expect(sequin.receiver.messages().map(({ action }) => action)).toEqual(["insert", "update", "insert"]);
  });

  test("max_retry_count is the number of deliveries in total; then the message is discarded and still seen", async () => {
    sequin.receiver.answer = status(400);
    await start({ max_retry_count: 3 });
    await insert(1);
    await settled(1);
    expect(sequin.receiver.requests).toHaveLength(3);
    expect(await sequin.stack.deliveries()).toMatchObject([
      { status: "discarded", deliverCount: 3, httpStatus: 400 },
    ]);
    expect(sequin.stack.lines.at(-1)).toMatch(/discarded after 3 tries$/);
  });

  test("a message over 5,000,000 bytes is dropped as by Sequin, but not silently", async () => {
    await start();
    await sql("insert into posts values (1, repeat('x', 5000001)), (2, 'small')");
    await settled(2);
    expect(ids()).toEqual([2]);
    expect(sequin.stack.lines.join("\n")).toMatch(
      /insert public\.posts discarded, larger than 5000000 bytes/,
    );
  });
});
