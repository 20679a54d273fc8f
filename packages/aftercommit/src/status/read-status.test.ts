import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { answerWith, type Fault, hang, startFaultyServer } from "@/tests/helpers/faulty-server.ts";
import { known, statusForTests } from "@/tests/helpers/status-for-tests.ts";
import { runUrl } from "../runs/run-url.ts";
import { addUsage } from "../usage/usage.ts";
import { deletionsOnPage } from "./deletions.ts";

const { database, embed, pend, status, triggerRun, triggerUrl } = statusForTests();
const { insertPost } = database;

describe("a run", () => {
  it("is the newest of its row, with its address in Trigger.dev", async () => {
    const id = await insertPost();
    await pend(id);
    await triggerRun(`post:${id}`);
    const newest = await triggerRun(`post:${id}`);
    const { pending, runs } = await status();
    expect(known(runs).get(pending[0]?.tag ?? "")).toMatchObject({
      id: newest,
      url: `${triggerUrl()}/projects/v3/proj_tests/runs/${newest}`,
    });
  });

  it.each([
    [undefined, "https://cloud.trigger.dev"],
    ["https://api.trigger.dev", "https://cloud.trigger.dev"],
    ["https://api.preview.trigger.dev", "https://preview.trigger.dev"],
    ["https://trigger.example.com/", "https://trigger.example.com"],
  ])("of a server at %s has its page at %s", (api, expected) => {
    vi.stubEnv("TRIGGER_API_URL", api);
    expect(runUrl("run_1")).toBe(`${expected}/projects/v3/proj_tests/runs/run_1`);
    vi.stubEnv("TRIGGER_PROJECT_REF", "");
    expect(runUrl("run_1")).toBeUndefined();
  });

  it.each<[string, Fault | "refused"]>([
    ["Trigger.dev does not answer", hang],
    ["Trigger.dev does not answer", "refused"],
    ["Trigger.dev answers 500", answerWith(500, '{"error":"no"}')],
    ["Trigger.dev answers 401", answerWith(401, '{"error":"Invalid API key"}')],
    ["Trigger.dev's answer is none of its API", answerWith(200, "<html>")],
  ])("is not known when %s, and all else is", async (problem, fault) => {
    await pend(await insertPost());
    const server = await startFaultyServer(fault === "refused" ? hang : fault);
    vi.stubEnv("TRIGGER_API_URL", server.url);
    if (fault === "refused") await server.close();
    const { runs, counts, pending } = await status();
    expect(runs).toEqual({ known: false, problem });
    expect(counts).toMatchObject({ pending: 1, failed: 0 });
    expect(pending).toHaveLength(1);
    if (fault !== "refused") await server.close();
  });

  it("is not requested if no row is shown", async () => {
    vi.stubEnv("TRIGGER_API_URL", "http://127.0.0.1:1");
    expect((await status()).runs.known).toBe(true);
  });
});

describe("the lag", () => {
  it("is that of the last day's changes that were embedded as they arrived", async () => {
    expect((await status()).lag).toBeUndefined();
    for (const seconds of [1, 2, 3]) await embed(await insertPost(), { seconds });
    // From a backfill, so no one waited for it.
    await embed(await insertPost());
    expect((await status()).lag).toEqual({
      p50: expect.closeTo(2),
      p95: expect.closeTo(2.9),
      changes: 3,
    });
  });
});

it("the tokens of today are those of this UTC day, all models together", async () => {
  const { db } = database;
  await db.execute(
    sql`insert into aftercommit.usage (day, model, calls, tokens) values ('2020-01-01', 'm', 9, 9)`,
  );
  await addUsage(db, { model: "a", purpose: "passage", tokens: 3 });
  await Promise.all(
    Array.from({ length: 20 }, () => addUsage(db, { model: "b", purpose: "query", tokens: 1_000_000_000 })),
  );
  expect((await status()).counts.tokensToday).toBe(20_000_000_003);
});

describe("a deletion", () => {
  const rowId = "0b9a5a0e-0000-4000-8000-000000000001";
  const at = "2026-01-02T03:04:05Z";

  const record = (columns: string, values: string) =>
    database.db.execute(
      sql.raw(`insert into aftercommit.deletions (source, row_id, position, accepted_xid, ${columns})
        values ('user', '${rowId}', '1', pg_current_xact_id(), ${values})`),
    );

  it("shows the steps that the ledger requires, whatever is configured here, and no address", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "malformed");
    await record(
      "email, required_systems, run_id, last_error, systems",
      `'john.doe@example.com', '{billing,crm}', 'run_1', 'Not clean: billing (answered 500)',
       '{"billing": {"failed_at": "${at}", "error": "answered 500"}}'`,
    );
    const [deletion] = await deletionsOnPage(database.db);
    expect(JSON.stringify(deletion)).not.toMatch(/example\.com/);
    expect(deletion).toMatchObject({
      source: "user",
      rowId,
      run: { id: "run_1", url: expect.stringContaining("/runs/run_1") },
    });
    expect(deletion?.steps).toEqual([
      { name: "billing", state: "failed", at: new Date(at), error: "answered 500" },
      { name: "crm", state: "waiting", at: undefined, error: undefined },
      { name: "e-mail", state: "waiting", at: undefined, error: undefined },
    ]);
  });

  it("says why the address was rejected", async () => {
    const error = "Clean, but the confirmation was not sent: the mail server answered 550 to RCPT TO";
    await record("required_systems, confirmation_refused_at, last_error", `'{}', '${at}', '${error}'`);
    const [deletion] = await deletionsOnPage(database.db);
    expect(deletion?.steps).toEqual([{ name: "e-mail", state: "failed", at: new Date(at), error }]);
  });

  it("that was completed without an address says that no one was notified", async () => {
    await record(
      "required_systems, systems, completed_at, outcome",
      `'{crm}', '{"crm": {"done_at": "${at}"}}', '${at}', 'completed'`,
    );
    const [deletion] = await deletionsOnPage(database.db);
    expect(deletion?.steps.map(({ name, state }) => [name, state])).toEqual([
      ["crm", "done"],
      ["e-mail", "skipped"],
    ]);
  });

  it("whose row is back says so", async () => {
    await record("required_systems, completed_at, outcome", `'{crm}', '${at}', 'row_is_back'`);
    const [deletion] = await deletionsOnPage(database.db);
    expect(deletion?.steps).toMatchObject([
      { name: "crm", state: "skipped", error: "the row is back" },
      { name: "e-mail", state: "skipped", error: "the row is back" },
    ]);
  });
});
