import { randomUUID } from "node:crypto";
import { runs } from "@trigger.dev/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { POST } from "../../app/api/delete-user/route.ts";
import { userDeletions } from "../../drizzle/schema.ts";
import { hang, startFaultyServer } from "../faulty-server.ts";
import { recorded, withMetadata } from "../fixtures/recorded.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { startDatabase } from "./database.ts";
import { deletedUser } from "./messages.ts";

const secret = "a secret of the deletion route's tests";

let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
let database: Awaited<ReturnType<typeof startDatabase>>;
let logged: string[];

beforeAll(async () => {
  [trigger, database] = await Promise.all([startTriggerServer("tr_dev_deletions"), startDatabase()]);
});
afterAll(() => Promise.all([trigger.close(), database.close()]));

beforeEach(() => {
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
  vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_deletions");
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  vi.stubEnv("DATABASE_URL", database.url);
  vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "crm=https://crm.example/s3cret");
  vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", "");
  logged = [];
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((line: string) => void logged.push(line));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

async function deliver(body: unknown, token = secret) {
  const request = new Request("http://localhost:3000/api/delete-user", {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const response = await POST(request);
  return { status: response.status, body: await response.json() };
}

const deletions = async () => (await database.db.select().from(userDeletions)).length;

const ignored = { status: 200, body: { triggered: 0, ignored: 1, runs: [] } };

describe("POST /api/delete-user", () => {
  it("records a deletion and answers with the run that was triggered for it", async () => {
    const { id, email, message } = deletedUser({ email: "John.Doe@Example.com" });
    const { status, body } = await deliver(message);
    expect(status).toBe(200);
    expect(body).toEqual({ id: expect.stringMatching(/^run_/) });
    const deletion = await database.deletion(id);
    expect(deletion).toMatchObject({
      email,
      runId: body.id,
      requiredSystems: ["crm"],
      systems: {},
      environment: null,
      completedAt: null,
      lastError: null,
    });
  });

  it("decides the systems once: a second delivery under another configuration changes nothing", async () => {
    const { id, message } = deletedUser();
    await deliver(message);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "crm=https://crm.example, billing=https://billing.example");
    await deliver(message);
    expect((await database.deletion(id)).requiredSystems).toEqual(["crm"]);
  });

  it("accepts a deletion with nothing to clean where that is said", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "none");
    const { id, message } = deletedUser();
    expect((await deliver(message)).status).toBe(200);
    expect((await database.deletion(id)).requiredSystems).toEqual([]);
  });

  it.each(["", " ", "crm.example/s3cret"])(
    "records nothing and answers 500 with USER_DELETION_WEBHOOK_URLS=%j, which its log names",
    async (value) => {
      vi.stubEnv("USER_DELETION_WEBHOOK_URLS", value);
      const before = await deletions();
      const { status, body } = await deliver(deletedUser().message);
      expect({ status, body }).toEqual({
        status: 500,
        body: { error: "The server is not configured; see its log" },
      });
      expect(logged.join("\n")).toContain("USER_DELETION_WEBHOOK_URLS");
      expect(logged.join("\n")).not.toContain("s3cret");
      expect(await deletions()).toBe(before);
    },
  );

  it("gives Trigger.dev the user's id and nothing else about the user", async () => {
    const { id, message } = deletedUser();
    const run = await runs.retrieve((await deliver(message)).body.id);
    expect(run.payload).toEqual({ userId: id });
    expect(run.taskIdentifier).toBe("user-deletion-cleanup");
    expect(run.tags).toEqual([`user:${id}`]);
    expect(run.ttl).toBe("14d");
    expect(JSON.stringify(run)).not.toMatch(/example\.com|John|Doe|s3cret/);
  });

  it("starts nothing new for a second delivery, nor for a second change with the same user", async () => {
    const { id, message } = deletedUser();
    const first = await deliver(message);
    expect(await deliver(message)).toEqual(first);
    expect(await deliver(deletedUser({ id }).message)).toEqual(first);
  });

  it("brings no address back when a delivery comes after the confirmation", async () => {
    const { id, message } = deletedUser();
    await deliver(message);
    await database.db.update(userDeletions).set({ email: null, confirmationSentAt: new Date() });
    await deliver(message);
    expect((await database.deletion(id)).email).toBeNull();
  });

  it.each(["insert", "update", "read"])("ignores an %s of a user with 200", async (action) => {
    const before = await deletions();
    expect(await deliver(deletedUser({ action }).message)).toEqual(ignored);
    expect(await deletions()).toBe(before);
  });

  it("ignores a row message of Sequin's older sinks, which says nothing of a deletion", async () => {
    const { action: _, ...row } = deletedUser().message;
    expect(await deliver(row)).toEqual(ignored);
  });

  it.each([
    ["another table", { table_name: "posts" }],
    ["another schema", { table_schema: "audit" }],
    ["no table", { table_name: undefined }],
  ])("ignores a delete of %s", async (_, metadata) => {
    const before = await deletions();
    expect(await deliver(deletedUser({ metadata }).message)).toEqual(ignored);
    expect(await deletions()).toBe(before);
  });

  it("records a deletion without an address under replica identity default", async () => {
    const id = randomUUID();
    const message = withMetadata(recorded("12_users_delete"), { record_pks: [id] });
    expect((await deliver(message)).status).toBe(200);
    expect(await database.deletion(id)).toMatchObject({ email: null });
  });

  it.each([
    ["metadata.record_pks[0]", { record_pks: ["42"] }],
    ["record.id", { record_pks: [] }],
  ])("answers 422 and names %s when that is no uuid", async (at, metadata) => {
    const { message } = deletedUser({ metadata });
    const { status, body } = await deliver({ ...message, record: { ...message.record, id: "42" } });
    expect(status).toBe(422);
    expect(body.errors).toEqual([{ at, error: `${at}: must be a uuid` }]);
  });

  it("works on 49 of 50 deletes when one is malformed, names it, and changes nothing on redelivery", async () => {
    const users = Array.from({ length: 50 }, () => deletedUser());
    const data = users.map(({ message }, index) => (index === 17 ? { ...message, record: null } : message));
    const first = await deliver({ data });
    expect(first.status).toBe(200);
    expect(first.body.rejected).toBe(1);
    expect(first.body.errors).toMatchObject([{ at: "data[17].record" }]);
    expect(first.body.triggered).toBe(49);
    expect(new Set(first.body.runs).size).toBe(49);
    const before = await deletions();
    expect(await deliver({ data })).toEqual(first);
    expect(await deletions()).toBe(before);
    for (const [index, { id }] of users.entries())
      if (index !== 17) expect((await database.deletion(id)).runId).toMatch(/^run_/);
  });

  it("answers 401 to a wrong secret and records nothing", async () => {
    const before = await deletions();
    const { message } = deletedUser();
    expect(await deliver(message, "wrong")).toEqual({ status: 401, body: { error: "Unauthorized" } });
    vi.stubEnv("SEQUIN_WEBHOOK_SECRET", "");
    expect((await deliver(message, "undefined")).status).toBe(500);
    expect(await deletions()).toBe(before);
  });

  it("keeps the deletion when Trigger.dev is down, answers 503, and triggers once when it is back", async () => {
    const down = await startFaultyServer(hang);
    await down.close();
    vi.stubEnv("TRIGGER_API_URL", down.url);
    const { id, message } = deletedUser();
    expect((await deliver(message)).status).toBe(503);
    expect(await database.deletion(id)).toMatchObject({ runId: null });
    vi.stubEnv("TRIGGER_API_URL", trigger.url);
    const { status, body } = await deliver(message);
    expect(status).toBe(200);
    expect((await database.deletion(id)).runId).toBe(body.id);
  });

  it("triggers nothing and answers 503 when the database does not answer, and logs no address", async () => {
    const { email, message } = deletedUser();
    vi.stubEnv("DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres");
    const answer = await deliver(message);
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({
      error: "The deletion could not be recorded; deliver again",
      triggered: 0,
    });
    expect(logged.join("\n")).toContain("ECONNREFUSED");
    expect(logged.join("\n")).not.toContain(email);
  });

  it("answers 500 and names the variable in its log only when the database is not configured", async () => {
    vi.stubEnv("DATABASE_URL", "");
    const { status, body } = await deliver(deletedUser().message);
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain("DATABASE_URL");
    expect(logged.join("\n")).toContain("DATABASE_URL");
  });
});
