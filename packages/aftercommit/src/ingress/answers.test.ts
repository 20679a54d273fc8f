import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { POST as createEmbeddingForPost } from "@/app/api/create-embedding-for-post/route.ts";
import { POST as deleteUser } from "@/app/api/delete-user/route.ts";
import { GET as health } from "@/app/api/health/route.ts";
import { GET as search } from "@/app/api/search/route.ts";
import { recorded, withMetadata } from "@/tests/fixtures/recorded.ts";
import { newChange, secret } from "@/tests/helpers/deliver.ts";
import { databaseForTests } from "@/tests/helpers/posts-database.ts";
import { providerForTests } from "@/tests/helpers/providers/hashing-provider.ts";
import { startTriggerServer } from "@/tests/helpers/trigger-server.ts";

const KEY = "tr_dev_answers";
databaseForTests();
providerForTests();
let trigger: Awaited<ReturnType<typeof startTriggerServer>>;

beforeAll(async () => {
  trigger = await startTriggerServer(KEY);
});
afterAll(() => trigger.close());
beforeEach(() => {
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "none");
  vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const posted = (body: unknown, token = secret) =>
  new Request("http://localhost/api/route", {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const insert = () => newChange();
const bad = () => newChange("01_posts_insert", { record_pks: ["x"] });
const elsewhere = () => newChange("01_posts_insert", { table_name: "users" });
const deleted = () => withMetadata(recorded("16_users_full_delete"), { table_name: "users" });

const deliveries: [string, number, () => unknown][] = [
  ["one message", 200, insert],
  ["one that is ignored", 200, elsewhere],
  ["a batch", 200, () => ({ data: [insert(), insert()] })],
  ["an empty batch", 200, () => ({ data: [] })],
  ["a batch with a bad one", 200, () => ({ data: [insert(), bad()] })],
  ["a bad one", 422, bad],
  ["no JSON", 400, () => "{"],
];

async function expectJson(response: Response, status: number) {
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  expect(JSON.parse(await response.text())).toBeTypeOf("object");
}

// Sequin holds back a message for minutes after a 2xx that claims to be JSON and is not.
it.each(deliveries)("the answer to %s is %i with valid JSON", async (_, status, body) => {
  await expectJson(await createEmbeddingForPost(posted(body())), status);
});

it.each([
  ["a deleted user", 200, deleted],
  ["a batch of them", 200, () => ({ data: [deleted(), insert()] })],
  ["what is ignored", 200, insert],
])("the answer to %s is %i with valid JSON", async (_, status, body) => {
  await expectJson(await deleteUser(posted(body())), status);
});

it("the responses to unauthenticated clients, to searches and about health are valid JSON", async () => {
  await expectJson(await createEmbeddingForPost(posted(insert(), "wrong")), 401);
  await expectJson(await deleteUser(posted(deleted(), "wrong")), 401);
  await expectJson(await search(new Request("http://localhost/api/search?q=bread")), 200);
  await expectJson(await search(new Request("http://localhost/api/search")), 400);
  const answer = await health(new Request("http://localhost/api/health"));
  await expectJson(answer, answer.status);
});
