import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { worldsForTests } from "@/tests/helpers/deletions/deletion-world.ts";
import { FIRST_MODEL } from "@/tests/helpers/postgres-template.ts";
import { startTriggerServer } from "@/tests/helpers/trigger-server.ts";
import { defineDeletion } from "../define.ts";
import { receive } from "../ingress/receive.ts";
import { migrate } from "../migrate/migrate.ts";
import { deletionHandler } from "./deletion-handler.ts";

const secret = "a secret of the soft deletions' tests";
const worlds = worldsForTests();
const accounts = defineDeletion({
  row: "account",
  table: "crm.Accounts",
  key: "id",
  email: "contact",
  when: "deleted_at",
});
let trigger: Awaited<ReturnType<typeof startTriggerServer>>;

beforeAll(async () => {
  trigger = await startTriggerServer("tr_dev_soft");
  await worlds.database.db.execute(`create schema crm;
    create table crm."Accounts" (id integer primary key, contact text, plan text, deleted_at timestamptz);
    alter table crm."Accounts" replica identity full`);
  await migrate({ url: worlds.database.url, declarations: [accounts], model: FIRST_MODEL });
});
afterAll(() => trigger.close());
beforeEach(() => {
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
  vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_soft");
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  vi.stubEnv("DATABASE_URL", worlds.database.url);
});
afterEach(() => vi.unstubAllEnvs());

const MARK = "2026-01-02T03:04:05.678901Z";
let commits = 0;

function change(action: string, record: Record<string, unknown>, changes: object | null = {}) {
  commits += 1;
  const commit = { commit_lsn: commits, commit_idx: 0, commit_timestamp: `2026-02-03T04:05:06.${commits}Z` };
  const metadata = {
    table_schema: "crm",
    table_name: "Accounts",
    record_pks: [String(record.id)],
    ...commit,
  };
  return { action, record, changes, metadata };
}

async function deliver(...data: object[]) {
  const request = new Request("http://localhost:3000/api/delete-account", {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify({ data }),
  });
  const response = await receive(request, deletionHandler(accounts));
  return { status: response.status, body: await response.json() };
}

const marked = (id: number, mark: unknown = MARK) => ({
  id,
  contact: `${id}@example.com`,
  plan: "free",
  deleted_at: mark,
});
const deletionsOf = (id: number) => worlds.database.deletionsOf(String(id));
const insert = (id: number, mark: string | null) =>
  worlds.database.db.execute(
    sql`insert into crm."Accounts" values (${id}, ${`${id}@example.com`}, 'free', ${mark})`,
  );
const account = (id: number) => worlds.world({ declaration: accounts, userId: String(id) });

describe("a soft deletion", () => {
  it("is recorded with the key, the address and the mark", async () => {
    expect(await deliver(change("update", marked(1)))).toMatchObject({ status: 200, body: { triggered: 1 } });
    expect(await deletionsOf(1)).toMatchObject([
      { source: "account", row_id: "1", position: MARK, email: "1@example.com", run_id: expect.any(String) },
    ]);
  });

  it("is one per mark, whatever is updated later, and however the row is deleted in the end", async () => {
    await deliver(change("update", marked(2)));
    await deliver(change("update", { ...marked(2), plan: "none" }), change("delete", marked(2)));
    expect(await deletionsOf(2)).toHaveLength(1);
    await deliver(change("update", marked(2, "2026-05-06T07:08:09Z")));
    expect(await deletionsOf(2)).toHaveLength(2);
  });

  it("is an insert of a marked row, and a delete of one that was not marked", async () => {
    await deliver(change("insert", marked(3)), change("delete", marked(4, null)));
    expect(await deletionsOf(3)).toHaveLength(1);
    expect(await deletionsOf(4)).toHaveLength(1);
  });

  it.each([
    ["an update of a row that is not marked", change("update", marked(5, null))],
    ["an insert of one", change("insert", marked(5, null))],
    ["a read of a marked row", change("read", marked(5))],
    ["an update that certainly left an old mark alone", change("update", marked(5), { plan: "free" })],
    ["a row message of Sequin's older sinks", { ...change("update", marked(5)), action: undefined }],
  ])("is not %s", async (_, message) => {
    expect(await deliver(message)).toMatchObject({ status: 200, body: { triggered: 0, ignored: 1 } });
    expect(await deletionsOf(5)).toEqual([]);
  });

  it.each([
    ["a number", 1_767_323_045_678_901],
    ["an object", { by: "admin" }],
    ["a text that no index takes", `${"x".repeat(5_000)}\0`],
  ])("differs from others by a mark that is %s", async (_, mark) => {
    const id = 100 + commits;
    await deliver(change("update", marked(id, mark)), change("update", marked(id, mark)));
    expect(await deletionsOf(id)).toHaveLength(1);
  });

  it("is finished while the row stays marked", async () => {
    await insert(6, MARK);
    const { events, record, finish } = account(6);
    expect(await finish(await record())).toMatchObject({ status: "complete", confirmation: "sent" });
    expect(events.toSorted()).toEqual(["billing", "crm", "mail"]);
  });

  it("is finished when the row is deleted altogether", async () => {
    const { record, finish } = account(7);
    expect(await finish(await record())).toMatchObject({ status: "complete" });
  });

  it("ends when the row is no longer marked: no one is notified", async () => {
    await insert(8, null);
    const { events, record, finish } = account(8);
    expect(await finish(await record())).toMatchObject({ status: "row-is-back" });
    expect(events).toEqual([]);
  });
});
