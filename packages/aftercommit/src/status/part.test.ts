import { sql } from "drizzle-orm";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StatusReport } from "@/app/_status/status-report.tsx";
import { declarations, statusForTests } from "@/tests/helpers/status-for-tests.ts";
import { startTcpProxy } from "@/tests/helpers/tcp-proxy.ts";
import { database as connected } from "../db/database.ts";
import { readStatus, type Status } from "./read-status.ts";

const { database, pend } = statusForTests();
const PARTS = ["post", "models", "deletions"] as const;

let logged: { event: string; part: string; error: string }[];

beforeEach(async () => {
  logged = [];
  vi.spyOn(console, "error").mockImplementation((line: string) => void logged.push(JSON.parse(line)));
  await pend(await database.insertPost({ title: "Shown all the same" }));
});
afterEach(() => vi.restoreAllMocks());

const read = () => readStatus(declarations, { db: connected });

const problemsOf = (status: Status) =>
  PARTS.flatMap((name) => {
    const part = name === "post" ? status.tables[0]?.status : status[name];
    return !part || part.known ? [] : [[name, part.problem]];
  });
const textOf = (status: Status) =>
  renderToStaticMarkup(createElement(StatusReport, { status })).replaceAll("&#x27;", "'");
const alerts = (html: string) => html.match(/role="alert"/g)?.length ?? 0;

describe("a part of the page that fails", () => {
  it("is named, with the reason in the log, and all others are shown", async () => {
    await database.db.execute(sql`alter table aftercommit.deletions rename to elsewhere`);
    const status = await read();
    await database.db.execute(sql`alter table aftercommit.elsewhere rename to deletions`);
    const problem = "the database answers with error 42P01 (npx aftercommit migrate applies what is missing)";
    expect(problemsOf(status)).toEqual([["deletions", problem]]);
    expect(logged).toEqual([
      {
        event: "status.part_unknown",
        part: "deletions",
        error: expect.stringContaining('"aftercommit.deletions" does not exist'),
      },
    ]);
    const html = textOf(status);
    expect(html).toContain(`The latest deletions cannot be shown: ${problem}.`);
    expect(alerts(html)).toBe(1);
    expect(html).toContain("Shown all the same");
    expect(html).not.toContain("does not answer");
  });

  it("names the variable that is wrong, and does not blame the database", async () => {
    vi.stubEnv("DATABASE_POOL_SIZE", "many");
    const html = textOf(await read());
    expect(html).toContain("DATABASE_POOL_SIZE must be a whole number");
    expect(html).not.toContain("does not answer");
  });
});

describe("the database does not answer", () => {
  it("is reported once, when it refuses connections", async () => {
    vi.stubEnv("DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres");
    const status = await read();
    expect(problemsOf(status)).toEqual(PARTS.map((name) => [name, "the database does not answer"]));
    const html = textOf(status);
    expect(html).toContain("Nothing can be shown: the database does not answer.");
    expect(alerts(html)).toBe(1);
  });

  it("is reported when it hangs, and no longer when it has recovered", async () => {
    const url = new URL(process.env.DATABASE_URL ?? "");
    const proxy = await startTcpProxy({ port: Number(url.port) });
    url.port = String(proxy.port);
    vi.stubEnv("DATABASE_URL", url.href);
    proxy.goSilent();
    const hung = await read();
    expect(problemsOf(hung)).toEqual(PARTS.map((name) => [name, "the database does not answer"]));
    proxy.recover();
    expect(problemsOf(await read())).toEqual([]);
    await proxy.close();
  });
});
