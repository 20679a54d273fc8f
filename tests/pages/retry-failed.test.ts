import { runs } from "@trigger.dev/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { POST } from "../../app/api/retry-failed/route.ts";
import { recordRefusals } from "../../drizzle/queries/embeddings/failures.ts";
import { posts as table } from "../../drizzle/schema.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { config } from "../../proxy.ts";
import { answerWith, startFaultyServer } from "../faulty-server.ts";
import { databaseForTests } from "../tasks/database.ts";
import { startTriggerServer } from "../trigger-server.ts";

const KEY = "tr_dev_retry_failed";
const database = databaseForTests();
let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
let failed: bigint;

beforeAll(async () => {
  trigger = await startTriggerServer(KEY);
  vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  failed = await database.insertPost();
  const [post] = await database.db.select().from(table);
  const textHash = post?.textHash ?? "";
  await recordRefusals(database.db, posts.of, 1, [{ id: String(failed), textHash, error: "refused" }]);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await trigger.close();
});

const url = "http://app.example.com/api/retry-failed";
const asked = (headers: Record<string, string>) =>
  POST(new Request(url, { method: "POST", headers: { host: "app.example.com", ...headers } }));
const triggered = async () =>
  (await runs.list({ taskIdentifier: "create-embeddings-for-posts" })).data.length;

describe("a request to try the failed posts again", () => {
  let before: number;
  beforeEach(async () => {
    before = await triggered();
  });

  it.each([
    ["another site's form", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["another site of the same owner", { "sec-fetch-site": "same-site", origin: "http://x.example.com" }],
    ["an old browser's form on another site", { origin: "https://evil.example" }],
    ["a page without an origin", { origin: "null" }],
    ["a program that says nothing of itself", {}],
  ])("of %s is refused, though a browser sends the password along", async (_, headers) => {
    expect((await asked(headers)).status).toBe(403);
    expect(await triggered()).toBe(before);
  });

  it.each([
    ["the page", { "sec-fetch-site": "same-origin" }],
    ["the page in an old browser", { origin: "http://app.example.com" }],
  ])("of %s triggers one run for them and goes back to the page", async (_, headers) => {
    const answer = await asked(headers);
    expect({ status: answer.status, to: answer.headers.get("location") }).toEqual({ status: 303, to: "/" });
    expect(await triggered()).toBe(before + 1);
    const [newest] = (await runs.list({ taskIdentifier: "create-embeddings-for-posts" })).data;
    expect((await runs.retrieve(newest?.id ?? "")).payload).toEqual({ postIds: [String(failed)] });
  });

  it("is answered 503 while Trigger.dev does not take the run", async () => {
    const broken = await startFaultyServer(answerWith(400, '{"error":"no"}'));
    vi.stubEnv("TRIGGER_API_URL", broken.url);
    expect((await asked({ "sec-fetch-site": "same-origin" })).status).toBe(503);
    vi.stubEnv("TRIGGER_API_URL", trigger.url);
    await broken.close();
  });
});

it("asks for the password, as the page does", () => {
  expect(config.matcher).toContain("/api/retry-failed");
});
