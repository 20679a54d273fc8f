import { randomUUID } from "node:crypto";
import { runs } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { recorded, withMetadata } from "@/tests/fixtures/recorded.ts";
import { deletedUser } from "@/tests/helpers/deletions/deleted-user.ts";
import { deletionRouteForTests } from "@/tests/helpers/deletions/deletion-route.ts";
import { hang, startFaultyServer } from "@/tests/helpers/faulty-server.ts";

const route = deletionRouteForTests("deletions");
const { deliver, deletions } = route;

const ignored = { status: 200, body: { triggered: 0, pending: 0, ignored: 1, runs: [] } };

describe("POST /api/delete-user", () => {
  it("records a deletion and answers with the run that was triggered for it", async () => {
    const { id, email, message } = deletedUser({ email: "John.Doe@Example.com" });
    const { status, body } = await deliver(message);
    expect(status).toBe(200);
    expect(body).toEqual({ id: expect.stringMatching(/^run_/) });
    const deletion = await route.database.deletionOf(id);
    expect(deletion).toMatchObject({
      email,
      source: "user",
      run_id: body.id,
      required_systems: ["crm"],
      systems: {},
      environment: null,
      completed_at: null,
      last_error: null,
    });
  });

  it("decides the systems once: a second delivery under another configuration changes nothing", async () => {
    const { id, message } = deletedUser();
    await deliver(message);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "crm=https://crm.example, billing=https://billing.example");
    await deliver(message);
    expect((await route.database.deletionOf(id)).required_systems).toEqual(["crm"]);
  });

  it("accepts a deletion with nothing to clean if that is configured", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "none");
    const { id, message } = deletedUser();
    expect((await deliver(message)).status).toBe(200);
    expect((await route.database.deletionOf(id)).required_systems).toEqual([]);
  });

  it("gives Trigger.dev the user's id and nothing else about the user", async () => {
    const { id, message } = deletedUser();
    const run = await runs.retrieve((await deliver(message)).body.id);
    const { id: deletionId } = await route.database.deletionOf(id);
    expect(run.payload).toEqual({ userId: id, deletionId });
    expect(run.taskIdentifier).toBe("user-deletion-cleanup");
    expect(run.tags).toEqual([`user:${id}`]);
    expect(run.ttl).toBe("14d");
    expect(JSON.stringify(run)).not.toMatch(/example\.com|John|Doe|s3cret/);
  });

  it("starts nothing new for a second delivery, and a run for another deletion of the same user", async () => {
    const { id, message } = deletedUser();
    const first = await deliver(message);
    expect(await deliver(message)).toEqual(first);
    const second = await deliver(deletedUser({ id }).message);
    expect(second.body.id).not.toBe(first.body.id);
    expect((await route.database.deletionsOf(id)).map(({ run_id }) => run_id)).toEqual([
      first.body.id,
      second.body.id,
    ]);
  });

  it("counts one deletion that is twice in a delivery as one", async () => {
    const { id, message } = deletedUser();
    const { body } = await deliver({ data: [message, message] });
    expect(body).toMatchObject({ triggered: 2, runs: [(await route.database.deletionOf(id)).run_id] });
  });

  it("triggers no run for a deletion that has one", async () => {
    const { message } = deletedUser();
    const first = await deliver(message);
    const down = await startFaultyServer(hang);
    await down.close();
    vi.stubEnv("TRIGGER_API_URL", down.url);
    expect(await deliver(message)).toEqual(first);
  });

  it.each([
    ["the idempotency key and the time", { commit_lsn: null }],
    [
      "the time of old versions",
      { commit_lsn: undefined, commit_idx: undefined, idempotency_key: undefined },
    ],
  ])("tells deletions apart by %s if a message has no position", async (_, metadata) => {
    const at = (second: number) => ({ ...metadata, commit_timestamp: `2026-01-02T03:04:0${second}Z` });
    const { id, message } = deletedUser({ metadata: at(1) });
    await deliver(message);
    await deliver(message);
    await deliver(deletedUser({ id, metadata: at(2) }).message);
    expect(await route.database.deletionsOf(id)).toHaveLength(2);
  });

  it("answers 422 if nothing tells deletions apart", async () => {
    const nothing = { commit_lsn: null, commit_timestamp: null, idempotency_key: null };
    const { status, body } = await deliver(deletedUser({ metadata: nothing }).message);
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ at: "metadata.commit_lsn" }]);
  });

  it("restores no address when a delivery arrives after the confirmation", async () => {
    const { id, message } = deletedUser();
    await deliver(message);
    await route.database.db.execute(sql`
      update aftercommit.deletions set email = null, confirmation_sent_at = now() where row_id = ${id}`);
    await deliver(message);
    expect((await route.database.deletionOf(id)).email).toBeNull();
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
    expect((await deliver({ ...message, record: { ...message.record, id } })).status).toBe(200);
    expect(await route.database.deletionOf(id)).toMatchObject({ email: null });
  });

  it("records deletions whose e-mail column was renamed, and logs once per delivery that no confirmation will be sent", async () => {
    const lines: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line: string) => void lines.push(line));
    const [first, second, third] = [deletedUser(), deletedUser(), deletedUser()];
    const renamed = [first, second].map(({ message }) => {
      const { email: mail, ...record } = message.record;
      return { ...message, record: { ...record, mail } };
    });
    expect((await deliver({ data: [...renamed, third.message] })).status).toBe(200);
    for (const { id } of [first, second])
      expect(await route.database.deletionOf(id)).toMatchObject({ email: null });
    expect(await route.database.deletionOf(third.id)).toMatchObject({ email: third.email });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { event: "deletion.no_email_column", source: "user", column: "email", rowId: first.id, deletions: 2 },
    ]);
    vi.restoreAllMocks();
  });

  it.each([
    ["metadata.record_pks[0]", { email: "x" }],
    ["record.id", { id: "42" }],
  ])("answers 422 and names %s if it is not a uuid", async (at, record) => {
    const { message } = deletedUser({ metadata: { record_pks: ["42"] } });
    const { status, body } = await deliver({ ...message, record });
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
      if (index !== 17) expect((await route.database.deletionOf(id)).run_id).toMatch(/^run_/);
  });

  it("answers 401 to a wrong secret and records nothing", async () => {
    const before = await deletions();
    const { message } = deletedUser();
    expect(await deliver(message, "wrong")).toEqual({ status: 401, body: { error: "Unauthorized" } });
    vi.stubEnv("SEQUIN_WEBHOOK_SECRET", "");
    expect((await deliver(message, "undefined")).status).toBe(500);
    expect(await deletions()).toBe(before);
  });
});
