import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { deliver, newChange, secret } from "@/tests/helpers/deliver.ts";
import { databaseForTests } from "@/tests/helpers/posts-database.ts";
import { startTriggerServer } from "@/tests/helpers/trigger-server.ts";

const KEY = "tr_dev_unworked";
const route = "/api/create-embedding-for-post";
const database = databaseForTests();

const update = (id: unknown, metadata: object = {}) => {
  const message = newChange("02_posts_update", { ...metadata });
  return { ...message, record: { ...message.record, id } };
};
const bad = () => update("hunter2");
const elsewhere = (metadata: object = {}) => update(1, { table_schema: "app", ...metadata });

let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
let logged: { event: string }[];

beforeAll(async () => {
  trigger = await startTriggerServer(KEY);
});
afterAll(() => trigger.close());
beforeEach(() => {
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
  logged = [];
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((line: string) => void logged.push(JSON.parse(line)));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const linesOf = (event: string) => logged.filter((line) => line.event === event);

async function pendingIds(): Promise<string[]> {
  const { rows } = await database.db.execute<{ id: string }>(
    sql`select row_id as id from aftercommit.pending`,
  );
  return rows.map(({ id }) => id);
}

describe("an invalid message", () => {
  it("does not cause a redelivery of its batch: the others are accepted, it is logged, and all are acknowledged", async () => {
    const data = Array.from({ length: 50 }, (_, index) => update(1_000 + index));
    data[17] = bad();
    data[19] = bad();
    const { status, body } = await deliver({ data });
    expect(status).toBe(200);
    expect(body.triggered + body.pending).toBe(48);
    const error = (at: string) => ({ at: `${at}.record.id`, error: `${at}.record.id: must be a bigint` });
    expect(body).toMatchObject({ ignored: 0, rejected: 2, errors: [error("data[17]"), error("data[19]")] });
    const ids = await pendingIds();
    expect(ids).toHaveLength(48);
    expect(ids).not.toContain("1017");
    expect(linesOf("message.invalid")).toEqual([
      {
        event: "message.invalid",
        route,
        reason: "record.id: must be a bigint",
        messages: 2,
        at: "data[17].record.id",
      },
    ]);
    expect(JSON.stringify(logged)).not.toContain("hunter2");
  });

  it("among skipped messages is acknowledged as well", async () => {
    const { status, body } = await deliver({ data: [elsewhere(), bad()] });
    expect({ status, body }).toMatchObject({ status: 200, body: { triggered: 0, ignored: 1, rejected: 1 } });
  });

  it.each([
    ["alone", bad],
    ["beside nothing good", () => ({ data: [bad(), "no message"] })],
  ])("%s is answered 422: Sequin keeps it", async (_, body) => {
    expect(await deliver(body())).toMatchObject({ status: 422, body: { triggered: 0, ignored: 0 } });
  });
});

describe("a skipped message", () => {
  it("leaves a line that says why, one per reason and delivery", async () => {
    const data = [update(3), elsewhere(), elsewhere(), update(4, { table_name: "users" })];
    expect(await deliver({ data })).toMatchObject({ status: 200, body: { ignored: 3 } });
    expect(await deliver(elsewhere())).toMatchObject({ status: 200, body: { ignored: 1 } });
    expect(linesOf("messages.ignored")).toEqual([
      { event: "messages.ignored", route, reason: "app.posts update", messages: 2 },
      { event: "messages.ignored", route, reason: "public.users update", messages: 1 },
      { event: "messages.ignored", route, reason: "app.posts update", messages: 1 },
    ]);
  });

  it("may name its table as it likes", async () => {
    const data = [
      elsewhere({ table_name: "\u0000\ud800'; drop table posts" }),
      elsewhere({ table_name: "x".repeat(100_000) }),
      elsewhere({ table_schema: undefined, table_name: "Größe" }),
    ];
    expect((await deliver({ data })).status).toBe(200);
    expect(linesOf("messages.ignored")).toMatchObject([
      { reason: "app.???? drop table posts update" },
      { reason: `app.${"x".repeat(63)} update` },
      { reason: "public.Größe update" },
    ]);
  });
});
