import { sql } from "drizzle-orm";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { StatusReport } from "../../app/_status/status-report.tsx";
import { addUnprocessed } from "../../drizzle/queries/unprocessed-messages.ts";
import { readStatus, type Status } from "../../lib/status/read-status.ts";
import { startTcpProxy } from "../database/tcp-proxy.ts";
import { databaseForTests } from "../tasks/database.ts";
import { startTriggerServer } from "../trigger-server.ts";

const KEY = "tr_dev_parts";
const database = databaseForTests();
const PARTS = ["totals", "posts", "usage", "deletions", "unprocessed"] as const;

let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
let logged: { event: string; part: string; error: string }[];

beforeAll(async () => {
  trigger = await startTriggerServer(KEY);
});
afterAll(() => trigger.close());
beforeEach(async () => {
  vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  logged = [];
  vi.spyOn(console, "error").mockImplementation((line: string) => void logged.push(JSON.parse(line)));
  await database.insertPost({ title: "Shown all the same" });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const problemsOf = (status: Status) =>
  PARTS.flatMap((name) => {
    const part = status[name];
    return part.known ? [] : [[name, part.problem]];
  });
const textOf = (status: Status) =>
  renderToStaticMarkup(createElement(StatusReport, { status })).replaceAll("&#x27;", "'");
const alerts = (html: string) => html.match(/role="alert"/g)?.length ?? 0;

/** Does some work while a table of the database has another name. */
async function without<T>(table: string, work: () => Promise<T>): Promise<T> {
  await database.db.execute(sql`alter table ${sql.identifier(table)} rename to elsewhere`);
  try {
    return await work();
  } finally {
    await database.db.execute(sql`alter table elsewhere rename to ${sql.identifier(table)}`);
  }
}

describe("a part of the page that fails", () => {
  it.each([
    ["embedding_usage", "usage", "The usage"],
    ["user_deletions", "deletions", "The latest deletions"],
    ["unprocessed_messages", "unprocessed", "The messages without a run"],
  ])(
    "for the lack of %s is named, with why in the log, and all others are shown",
    async (table, part, name) => {
      const status = await without(table, () => readStatus());
      const problem = "the database answers with error 42P01; are all migrations applied?";
      expect(problemsOf(status)).toEqual([[part, problem]]);
      expect(logged).toEqual([
        { event: "status.part_unknown", part, error: expect.stringContaining(`"${table}" does not exist`) },
      ]);
      const html = textOf(status);
      expect(html).toContain(`${name} cannot be shown: ${problem}.`);
      expect(alerts(html)).toBe(1);
      expect(html).toContain("Shown all the same");
      expect(html).not.toContain("does not answer");
    },
  );

  it("names the variable that is wrong, and does not blame the database", async () => {
    vi.stubEnv("DATABASE_POOL_SIZE", "many");
    const html = textOf(await readStatus());
    expect(html).toContain("DATABASE_POOL_SIZE must be a whole number");
    expect(html).not.toContain("does not answer");
  });
});

describe("the database does not answer", () => {
  it("is said once, when it refuses connections", async () => {
    vi.stubEnv("DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres");
    const status = await readStatus();
    expect(problemsOf(status)).toEqual(PARTS.map((name) => [name, "the database does not answer"]));
    const html = textOf(status);
    expect(html).toContain("Nothing can be shown: the database does not answer.");
    expect(alerts(html)).toBe(1);
  });

  it("is said when it hangs, and no more when it has recovered", async () => {
    const url = new URL(process.env.DATABASE_URL ?? "");
    const proxy = await startTcpProxy({ port: Number(url.port) });
    url.port = String(proxy.port);
    vi.stubEnv("DATABASE_URL", url.href);
    proxy.goSilent();
    const hung = await readStatus();
    expect(problemsOf(hung)).toEqual(PARTS.map((name) => [name, "the database does not answer"]));
    proxy.recover();
    expect(problemsOf(await readStatus())).toEqual([]);
    await proxy.close();
  });
});

it("messages that led to no run are counted on the page, the rejected first", async () => {
  const route = "/api/create-embedding-for-post";
  expect(textOf(await readStatus())).not.toContain("Messages without a run");
  for (let time = 0; time < 2; time += 1)
    await addUnprocessed(database.db, route, [
      { outcome: "ignored", reason: "app.posts insert", messages: 1_000, example: "data[0]" },
      { outcome: "refused", reason: "missing or wrong secret", messages: 3, example: "" },
      {
        outcome: "rejected",
        reason: "record.id: must be the row's primary key",
        messages: 1,
        example: "data[7]",
      },
    ]);
  const status = await readStatus();
  expect(status.unprocessed).toMatchObject({
    known: true,
    value: [
      { route, outcome: "rejected", messages: 2, example: "data[7]" },
      { route, outcome: "refused", messages: 6 },
      { route, outcome: "ignored", reason: "app.posts insert", messages: 2_000 },
    ],
  });
  const html = textOf(status);
  expect(html).toContain("app.posts insert");
  expect(html).toContain("2,000");
});
