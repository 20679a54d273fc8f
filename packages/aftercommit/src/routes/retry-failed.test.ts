import { runs } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { POST } from "@/app/api/retry-failed/route.ts";
import { statusForTests } from "@/tests/helpers/status-for-tests.ts";
import { retryFailed } from "../status/retry-failed.ts";

const { database, fail } = statusForTests();
const OWN = { "sec-fetch-site": "same-origin" };
let failed: bigint;

const url = "http://app.example.com/api/retry-failed";
const asked = (headers: Record<string, string>, source = "post") => {
  const body = new URLSearchParams({ source });
  return POST(new Request(url, { method: "POST", headers: { host: "app.example.com", ...headers }, body }));
};
const triggered = async () =>
  (await runs.list({ taskIdentifier: "create-embeddings-for-posts" })).data.length;

async function entry() {
  const { rows } = await database.db.execute<{ due: boolean; error: string | null }>(sql`
    select next_attempt <= clock_timestamp() as due, error from aftercommit.pending
    where row_id = ${String(failed)}`);
  return rows[0];
}

describe("a request to retry the failed rows of a table", () => {
  let before: number;
  beforeEach(async () => {
    await database.db.execute(sql`update aftercommit.sources set woken_at = null`);
    failed = await database.insertPost();
    await fail(failed, "refused");
    before = await triggered();
  });

  it.each([
    ["another site's form", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["another site of the same owner", { "sec-fetch-site": "same-site", origin: "http://x.example.com" }],
    ["an old browser's form on another site", { origin: "https://evil.example" }],
    ["a page without an origin", { origin: "null" }],
    ["a program that says nothing of itself", {}],
  ])("from %s is rejected, although a browser sends the password along", async (_, headers) => {
    expect((await asked(headers)).status).toBe(403);
    expect(await entry()).toEqual({ due: false, error: "refused" });
    expect(await triggered()).toBe(before);
  });

  it.each([
    ["the page", OWN],
    ["the page in an old browser", { origin: "http://app.example.com" }],
  ])("from %s makes them due, wakes one run and returns to the page", async (_, headers) => {
    const answer = await asked(headers);
    expect({ status: answer.status, to: answer.headers.get("location") }).toEqual({ status: 303, to: "/" });
    expect(await entry()).toEqual({ due: true, error: "refused" });
    expect(await triggered()).toBe(before + 1);
  });

  it("makes at most 2,000 due in one statement", async () => {
    await database.db.execute(sql`
      insert into aftercommit.pending (source, row_id, queue, version, accepted_at, accepted_xid, next_attempt, error)
      select 'post', -n, 'batch', n, now(), '0', now() + interval '1 hour', 'refused' from generate_series(1, 2001) n`);
    const queried = vi.spyOn(database.db.$client, "query");
    await retryFailed(database.db, posts);
    const answers = await Promise.all(queried.mock.results.map(({ value }) => value));
    queried.mockRestore();
    expect(answers.map(({ rowCount }) => rowCount).slice(0, 2)).toEqual([2_000, 2]);
    expect(await entry()).toEqual({ due: true, error: "refused" });
  });

  it("leaves alone what is being worked on", async () => {
    await database.db.execute(sql`update aftercommit.pending set lease = gen_random_uuid()`);
    await asked(OWN);
    expect(await entry()).toEqual({ due: false, error: "refused" });
  });

  it("for a table that is not declared is rejected", async () => {
    expect((await asked(OWN, "users")).status).toBe(400);
  });

  it("is done although Trigger.dev does not answer: the schedule wakes the drain", async () => {
    vi.stubEnv("TRIGGER_API_URL", "http://127.0.0.1:1");
    expect((await asked(OWN)).status).toBe(303);
    expect(await entry()).toEqual({ due: true, error: "refused" });
  });

  it("is answered 503 while the database does not answer", async () => {
    vi.stubEnv("DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres");
    expect((await asked(OWN)).status).toBe(503);
  });
});
