import { describe, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import type { Pace } from "../delivery/pace.ts";
import { type Answer, ok, status } from "./receiver.ts";
import { sequinForTests } from "./sequin-for-tests.ts";

const sequin = sequinForTests("create table posts (id int primary key, title text)");
const { sql, insert, requests } = sequin;

/** A time that no test reaches. */
const NEVER = 3_600_000;

const start = (pace: Partial<Pace>, workers?: number) => sequin.start({}, { pace, workers });
const sent = () => sequin.receiver.messages().map(({ action, record }) => `${action} ${record.id}`);
const brokenJson: Answer = (_, response) =>
  void response.writeHead(200, { "content-type": "application/json" }).end("{oops");

/** The first request gets this response, the others are acknowledged. */
function first(answer: Answer): void {
  sequin.receiver.answer = (received, response) => {
    sequin.receiver.answer = ok;
    answer(received, response);
  };
}

/** The message of this row has failed, and its backoff is over. */
async function due(id: number): Promise<void> {
  const of = async () =>
    (await sequin.stack.deliveries()).find(
      ({ group, deliverCount }) => group === `public.posts:${id}` && deliverCount > 0,
    );
  const failed = await until(of, { what: "the failure" });
  await until(() => Date.now() > (failed.nextTryAt?.getTime() ?? 0) + 100, {
    what: "the end of the backoff",
  });
}

describe("a failed message whose backoff is over", () => {
  test("waits on a quiet sink, and goes with the next new message", async () => {
    first(status(400));
    await start({ pollMs: NEVER });
    await insert(1);
    await due(1);
    expect(sent()).toEqual(["insert 1"]);
    await insert(2);
    await requests(3);
    expect(sent().sort()).toEqual(["insert 1", "insert 1", "insert 2"]);
  });

  test("goes when another message is acknowledged", async () => {
    let acknowledge = () => {};
    sequin.receiver.answer = (received, response) => {
      if (received.messages[0]?.record.id === 2) acknowledge = () => response.end();
      else (sent().length === 2 ? status(400) : ok)(received, response);
    };
    await start({ pollMs: NEVER });
    await insert(2);
    await requests(1);
    await insert(1);
    await due(1);
    expect(sent()).toEqual(["insert 2", "insert 1"]);
    acknowledge();
    await requests(3);
    expect(sent()).toEqual(["insert 2", "insert 1", "insert 1"]);
  });

  test("goes at the next poll", async () => {
    first(status(400));
    await start({ pollMs: 30 });
    await insert(1);
    await requests(2);
    expect(sent()).toEqual(["insert 1", "insert 1"]);
  });
});

test("a later change of a failed row waits on a quiet sink, and then overtakes it", async () => {
  first(status(400));
  await start({ pollMs: NEVER, backoffBaseMs: NEVER });
  await sql("begin; insert into posts values (1, 'a'); update posts set title = 'b'; commit");
  await until(async () => (await sequin.stack.deliveries()).some(({ deliverCount }) => deliverCount === 1));
  expect(sent()).toEqual(["insert 1"]);
  await insert(2);
  await requests(3);
  expect(sent().sort()).toEqual(["insert 1", "insert 2", "update 1"]);
});

test("while every worker is busy, a failure makes room for the next message", async () => {
  sequin.receiver.answer = status(400);
  await start({ pollMs: NEVER, backoffBaseMs: NEVER }, 1);
  await sql("insert into posts select n, 'a' from generate_series(1, 5) n");
  await requests(5);
});

describe("a 2xx whose body claims to be JSON and is not", () => {
  test("keeps the message and later changes of its row in flight, and says so loudly", async () => {
    first(brokenJson);
    await start({ stuckMs: NEVER, pollMs: 30 });
    await insert(1);
    const [stuck] = await until(async () => {
      const list = await sequin.stack.deliveries();
      return list[0]?.stuck ? list : undefined;
    });
    await sql("update posts set title = 'b'");
    await insert(2);
    await until(async () => (await sequin.stack.deliveries()).some(({ status }) => status === "delivered"));
    expect(sent()).toEqual(["insert 1", "insert 2"]);
    expect(stuck).toMatchObject({ status: "pending", deliverCount: 0, httpStatus: 200 });
    expect(stuck?.answer).toContain("claims to be JSON and is not");
    expect(sequin.stack.lines.join("\n")).toMatch(
      /insert public\.posts 1 → 200 in \d+ ms, STUCK: .* for 3600 s/,
    );
  });

  test("is sent again when a person asks for it, and its row goes on", async () => {
    first(brokenJson);
    await start({ stuckMs: NEVER });
    await insert(1);
    const [stuck] = await until(async () => {
      const list = await sequin.stack.deliveries();
      return list[0]?.stuck ? list : undefined;
    });
    await sql("update posts set title = 'b'");
    expect(await sequin.stack.redeliver(stuck?.id ?? 0)).toBe(true);
    await requests(3);
    expect(sent()).toEqual(["insert 1", "insert 1", "update 1"]);
    await until(async () =>
      (await sequin.stack.deliveries()).every((one) => one.status === "delivered" && !one.stuck),
    );
  });

  test("is sent again by itself in the end, with the same key", async () => {
    first(brokenJson);
    await start({ stuckMs: 50, pollMs: NEVER });
    await insert(1);
    await requests(2);
    expect(new Set(sequin.receiver.messages().map(({ metadata }) => metadata.idempotency_key)).size).toBe(1);
  });
});
