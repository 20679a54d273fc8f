import { runs } from "@trigger.dev/sdk";
import { ne } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { unprocessedMessages } from "../../drizzle/schema.ts";
import { startTcpProxy } from "../database/tcp-proxy.ts";
import { answerWith, startFaultyServer } from "../faulty-server.ts";
import { databaseForTests } from "../tasks/database.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { deliver, newChange, secret } from "./deliver.ts";

const KEY = "tr_dev_unprocessed";
const NOWHERE = "postgres://postgres@127.0.0.1:1/postgres";
const database = databaseForTests();
const good = (id: number) => newChange("02_posts_update", { record_pks: [String(id)] });
const bad = () => newChange("02_posts_update", { record_pks: ["hunter2"] });
const elsewhere = (metadata: object = {}) =>
  newChange("02_posts_update", { table_schema: "app", ...metadata });

let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
let logged: { event: string }[];

beforeAll(async () => {
  trigger = await startTriggerServer(KEY);
});
afterAll(() => trigger.close());

function stubEnvironment() {
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
}

beforeEach(async () => {
  stubEnvironment();
  logged = [];
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((line: string) => void logged.push(JSON.parse(line)));
  await database.db.delete(unprocessedMessages);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const kept = () =>
  database.db
    .select()
    .from(unprocessedMessages)
    // Requests that another file had refused are counted a minute later.
    .where(ne(unprocessedMessages.outcome, "refused"))
    .orderBy(unprocessedMessages.outcome, unprocessedMessages.reason);
const linesOf = (event: string) => logged.filter((line) => line.event === event);

describe("a message that can never be worked on", () => {
  const error = "data[17].metadata.record_pks[0]: must be a bigint";

  it("does not bring the others of its batch back: they run, it is recorded, and all are acknowledged", async () => {
    const data = Array.from({ length: 50 }, (_, index) => good(1_000 + index));
    data[17] = bad();
    const { status, body } = await deliver({ data });
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        triggered: 49,
        ignored: 0,
        rejected: 1,
        errors: [{ at: "data[17].metadata.record_pks[0]", error }],
        runs: [expect.stringMatching(/^run_/)],
      },
    });
    const { postIds } = (await runs.retrieve(body.runs[0])).payload;
    expect(postIds).toHaveLength(49);
    expect(postIds).not.toContain("1017");
    expect(await kept()).toEqual([
      expect.objectContaining({
        route: "/api/create-embedding-for-post",
        outcome: "rejected",
        reason: "metadata.record_pks[0]: must be a bigint",
        messages: 1,
        example: "data[17].metadata.record_pks[0]",
      }),
    ]);
  });

  it("among messages that are ignored is acknowledged as well", async () => {
    const { status, body } = await deliver({ data: [elsewhere(), bad()] });
    expect({ status, body }).toMatchObject({ status: 200, body: { triggered: 0, ignored: 1, rejected: 1 } });
  });

  it.each([
    ["alone", () => bad()],
    ["beside nothing good", () => ({ data: [bad(), "no message"] })],
  ])("%s is refused with 422, and not recorded: Sequin keeps it", async (_, body) => {
    expect(await deliver(body())).toMatchObject({ status: 422, body: { triggered: 0, ignored: 0 } });
    expect(await kept()).toEqual([]);
  });

  it("that cannot be recorded is answered 503, and its redelivery triggers nothing twice", async () => {
    const data = [good(1), bad()];
    vi.stubEnv("DATABASE_URL", NOWHERE);
    const first = await deliver({ data });
    expect(first).toMatchObject({
      status: 503,
      body: { error: "Rejected messages could not be recorded; deliver again", triggered: 1 },
    });
    expect(linesOf("delivery.unavailable")).toHaveLength(1);
    vi.unstubAllEnvs();
    stubEnvironment();
    const { status, body } = await deliver({ data });
    expect({ status, body }).toMatchObject({ status: 200, body: { rejected: 1, runs: first.body.runs } });
  });

  it("is counted once for each acknowledged delivery, and not while Trigger.dev takes none", async () => {
    const data = [good(2), bad()];
    const down = await startFaultyServer(answerWith(400, '{"error":"no"}'));
    vi.stubEnv("TRIGGER_API_URL", down.url);
    expect((await deliver({ data })).status).toBe(503);
    await down.close();
    expect(await kept()).toEqual([]);
    vi.stubEnv("TRIGGER_API_URL", trigger.url);
    for (let time = 0; time < 3; time += 1) expect((await deliver({ data })).status).toBe(200);
    expect(await kept()).toMatchObject([{ messages: 3 }]);
  });
});

describe("a message that is ignored", () => {
  it("leaves a line that says why, one for all of a delivery that are the same, and is counted", async () => {
    const data = [good(3), elsewhere(), elsewhere(), newChange("06_posts_delete")];
    expect(await deliver({ data })).toMatchObject({ status: 200, body: { triggered: 1, ignored: 3 } });
    expect(await deliver(elsewhere())).toMatchObject({ status: 200, body: { ignored: 1 } });
    const route = "/api/create-embedding-for-post";
    expect(linesOf("messages.ignored")).toEqual([
      { event: "messages.ignored", route, reason: "app.posts update", messages: 2 },
      { event: "messages.ignored", route, reason: "public.posts delete", messages: 1 },
      { event: "messages.ignored", route, reason: "app.posts update", messages: 1 },
    ]);
    expect(await kept()).toMatchObject([
      { route, outcome: "ignored", reason: "app.posts update", messages: 3 },
      { route, outcome: "ignored", reason: "public.posts delete", messages: 1 },
    ]);
  });

  it("is acknowledged though the database refuses, or hangs", async () => {
    vi.stubEnv("DATABASE_URL", NOWHERE);
    expect((await deliver(elsewhere())).status).toBe(200);
    const proxy = await startTcpProxy({ port: Number(new URL(trigger.url).port) });
    proxy.goSilent();
    vi.stubEnv("DATABASE_URL", `postgres://postgres@127.0.0.1:${proxy.port}/postgres`);
    expect((await deliver(elsewhere())).status).toBe(200);
    expect(linesOf("messages.ignored_not_counted")).toHaveLength(2);
    await proxy.close();
  });

  it("may name its table as it likes", async () => {
    const data = [
      elsewhere({ table_name: "\u0000\ud800'; drop table posts" }),
      elsewhere({ table_name: "x".repeat(100_000) }),
      elsewhere({ table_schema: undefined, table_name: "Größe" }),
      bad(),
    ];
    expect((await deliver({ data })).status).toBe(200);
    expect((await kept()).map(({ reason }) => reason)).toEqual([
      "?.Größe update",
      "app.???? drop table posts update",
      `app.${"x".repeat(63)} update`,
      "metadata.record_pks[0]: must be a bigint",
    ]);
  });

  it("of ever another table is counted among others, so that the counts stay few", async () => {
    for (const start of [0, 100]) {
      const data = Array.from({ length: 100 }, (_, index) => elsewhere({ table_name: `t${start + index}` }));
      await deliver({ data });
    }
    const rows = await kept();
    expect(rows).toHaveLength(51);
    expect(rows.reduce((sum, { messages }) => sum + messages, 0)).toBe(200);
  });

  it("is forgotten after 30 days", async () => {
    const old = {
      route: "/api/delete-user",
      outcome: "ignored",
      reason: "x",
      messages: 1,
      example: "",
    } as const;
    await database.db.insert(unprocessedMessages).values({ ...old, day: "2020-01-01" });
    await deliver(elsewhere());
    expect((await kept()).map(({ reason }) => reason)).toEqual(["app.posts update"]);
  });
});
