import { runs } from "@trigger.dev/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { answerWith, passTo, startFaultyServer } from "@/tests/helpers/faulty-server.ts";
import { commitOf } from "@/tests/helpers/foreign/messages.ts";
import { startFreshPostgres } from "@/tests/helpers/postgres.ts";
import { FIRST_MODEL } from "@/tests/helpers/postgres-template.ts";
import { runOn } from "@/tests/helpers/real-postgres.ts";
import { startTriggerServer } from "@/tests/helpers/trigger-server.ts";
import { disconnect } from "../db/client.ts";
import { defineTrigger } from "../define.ts";
import { migrate } from "../migrate/migrate.ts";
import { serveAll } from "../serve.ts";

const SECRET = "a secret of the orders' tests";
const KEY = "tr_dev_orders";

const orders = defineTrigger({
  row: "order",
  table: "shop.Orders",
  key: "id",
  actions: ["insert", "update"],
  task: "send-invoice",
});
const refunds = defineTrigger({
  row: "customer-refund",
  table: "shop.refunds",
  key: "code",
  task: "book-refund",
});
const serve = serveAll([orders, refunds]);

let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
let postgres: Awaited<ReturnType<typeof startFreshPostgres>>;

beforeAll(async () => {
  [trigger, postgres] = await Promise.all([startTriggerServer(KEY), startFreshPostgres()]);
  await runOn(postgres.url, [
    `create schema shop`,
    `create table shop."Orders" (id bigint primary key, total numeric)`,
    `create table shop.refunds (code text primary key)`,
  ]);
  await migrate({ url: postgres.url, declarations: [orders, refunds], model: FIRST_MODEL });
});
afterAll(async () => {
  await disconnect();
  await Promise.all([trigger.close(), postgres.close()]);
});
beforeEach(() => {
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", SECRET);
  vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  vi.stubEnv("DATABASE_URL", postgres.url);
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

async function deliver(messages: readonly unknown[], { path = "/api/send-invoice", token = SECRET } = {}) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify({ data: messages }) };
  const response = await serve(new Request(`http://localhost${path}`, init));
  return { status: response.status, body: await response.json() };
}

const runsOf = async (tag: string) => (await runs.list({ tag, limit: 100 })).data;
const changed = (...ids: (number | string)[]) =>
  commitOf(
    orders,
    ids.map((id) => ({ record: { id, total: "19.90" } })),
  );
const nothing = (ignored: number) => ({ status: 200, body: { triggered: 0, pending: 0, ignored, runs: [] } });

describe("a change of an order", () => {
  it("is a run of its task, which gets the key, the action and the time of the commit, and nothing of the row", async () => {
    const [message] = commitOf(orders, [{ action: "insert", record: { id: 17, total: "19.90" } }]);
    const { status, body } = await deliver([message]);
    expect({ status, body }).toEqual({
      status: 200,
      body: { triggered: 1, pending: 0, ignored: 0, runs: [expect.stringMatching(/^run_/)] },
    });
    const run = await runs.retrieve(body.runs[0]);
    expect(run).toMatchObject({ taskIdentifier: "send-invoice", tags: ["order:17"], ttl: "14d" });
    expect(run.payload).toEqual({
      orderId: "17",
      action: "insert",
      changedAt: message?.metadata.commit_timestamp,
    });
  });

  it("is one run however often it is delivered, and however the deliveries are grouped", async () => {
    const messages = [...changed(21), ...changed(22), ...changed(23)];
    const first = await deliver(messages);
    expect(first.body.runs).toHaveLength(3);
    expect(await deliver(messages)).toEqual(first);
    const [one, , three] = first.body.runs;
    expect((await deliver([messages[2], messages[0]])).body.runs).toEqual([three, one]);
    for (const id of [21, 22, 23]) expect(await runsOf(`order:${id}`)).toHaveLength(1);
  });

  it("is a different run than the next change of the same order, even if both arrive at the same time", async () => {
    const messages = [...changed(31), ...changed(31)];
    const answers = await Promise.all([deliver(messages), deliver(messages.toReversed()), deliver(messages)]);
    expect(new Set(answers.flatMap(({ body }) => body.runs)).size).toBe(2);
    expect(await runsOf("order:31")).toHaveLength(2);
  });

  it("with a key beyond 2^53 names the order exactly", async () => {
    const key = "9007199254740993";
    await deliver(commitOf(orders, [{ record: { id: Number(key) }, key }]));
    const [run] = await runsOf(`order:${key}`);
    expect((await runs.retrieve(run?.id ?? "")).payload).toMatchObject({ orderId: key });
  });

  it("that is not among the declared actions runs nothing, and neither does a backfill nor another table", async () => {
    const record = { id: 41 };
    const ignored = [
      ...commitOf(orders, [
        { action: "delete", record },
        { action: "read", record },
      ]),
      ...commitOf({ ...orders, table: { schema: "public", name: "Orders" } }, [{ record }]),
      { ...changed(41)[0], action: undefined },
    ];
    expect(await deliver(ignored)).toEqual(nothing(4));
    expect(await runsOf("order:41")).toEqual([]);
  });

  it("that is invalid in a batch is reported with its place, and the others run", async () => {
    const [message, other] = changed("no id", 51);
    const { status, body } = await deliver([message, other]);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { triggered: 1, rejected: 1, errors: [{ at: "data[0].record.id" }] },
    });
  });
});

it("without declared actions every change runs the task, a deletion as well", async () => {
  const [deletion] = commitOf(refunds, [{ action: "delete", record: { code: "R 1/2" } }]);
  const { body } = await deliver([deletion], { path: "/api/book-refund" });
  const run = await runs.retrieve(body.runs[0]);
  expect(run).toMatchObject({ taskIdentifier: "book-refund", tags: ["customer-refund:R 1/2"] });
  expect(run.payload).toMatchObject({ customerRefundId: "R 1/2", action: "delete" });
});

it("if Trigger.dev does not answer, the delivery fails, is repeated, and is one run", async () => {
  const messages = changed(61);
  const server = await startFaultyServer(answerWith(503, '{"error":"no"}'));
  vi.stubEnv("TRIGGER_API_URL", server.url);
  expect(await deliver(messages)).toMatchObject({ status: 503 });
  await server.close();
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  expect(await deliver(messages)).toMatchObject({ status: 200, body: { triggered: 1 } });
  expect(await runsOf("order:61")).toHaveLength(1);
});

it("a delivery of which Trigger.dev takes only a part goes on where it was, or a large one would never end", async () => {
  const messages = [81, 82, 83, 84, 85, 86, 87, 88].flatMap((id) => changed(id));
  let room = 5;
  const server = await startFaultyServer(async (request, response) => {
    const fault = room > 0 ? passTo(trigger.url) : answerWith(503, '{"error":"no"}');
    room -= 1;
    await fault(request, response);
  });
  vi.stubEnv("TRIGGER_API_URL", server.url);
  expect(await deliver(messages)).toMatchObject({ status: 503 });
  room = 3;
  expect(await deliver(messages)).toMatchObject({ status: 200, body: { triggered: 8 } });
  await server.close();
});

it("the dynamic route knows only declared names, and checks the secret first for those", async () => {
  expect(await deliver(changed(71), { path: "/api/send-invoices" })).toEqual({
    status: 404,
    body: { error: "Not found" },
  });
  expect(await deliver(changed(71), { path: "/api/constructor" })).toMatchObject({ status: 404 });
  expect(await deliver(changed(71), { token: "wrong" })).toMatchObject({ status: 401 });
  expect(await runsOf("order:71")).toEqual([]);
});
