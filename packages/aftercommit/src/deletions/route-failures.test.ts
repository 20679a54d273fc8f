import { describe, expect, it, vi } from "vitest";
import { deletedUser } from "@/tests/helpers/deletions/deleted-user.ts";
import { deletionRouteForTests } from "@/tests/helpers/deletions/deletion-route.ts";
import { answerWith, hang, startFaultyServer } from "@/tests/helpers/faulty-server.ts";

const route = deletionRouteForTests("deletion_failures");
const { deliver, deletions, logged } = route;

describe("POST /api/delete-user when what it needs is down or not configured", () => {
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
      expect(logged().join("\n")).toContain("USER_DELETION_WEBHOOK_URLS");
      expect(logged().join("\n")).not.toContain("s3cret");
      expect(await deletions()).toBe(before);
    },
  );

  it("keeps the deletion when Trigger.dev is down, acknowledges it as pending, and triggers once when it is back", async () => {
    const down = await startFaultyServer(hang);
    await down.close();
    vi.stubEnv("TRIGGER_API_URL", down.url);
    const { id, message } = deletedUser();
    expect(await deliver(message)).toEqual({ status: 200, body: { pending: 1 } });
    expect(await route.database.deletionOf(id)).toMatchObject({ run_id: null });
    vi.stubEnv("TRIGGER_API_URL", route.triggerUrl);
    const { status, body } = await deliver(message);
    expect(status).toBe(200);
    expect((await route.database.deletionOf(id)).run_id).toBe(body.id);
  });

  it("logs once per delivery, however many deletions Trigger.dev did not take", async () => {
    const down = await startFaultyServer(hang);
    await down.close();
    vi.stubEnv("TRIGGER_API_URL", down.url);
    const users = [deletedUser(), deletedUser(), deletedUser()];
    expect(await deliver({ data: users.map(({ message }) => message) })).toMatchObject({
      status: 200,
      body: { pending: 3 },
    });
    const lines = logged().filter((line) => line.includes("deletion.pending"));
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        event: "deletion.pending",
        error: "Trigger.dev did not accept the run",
        deletionId: expect.any(String),
        deletions: 3,
      },
    ]);
  });

  it.each([401, 403])(
    "answers 500 when Trigger.dev refuses the key with %i, and keeps the deletion",
    async (status) => {
      const server = await startFaultyServer(answerWith(status, '{"error":"Invalid API key"}'));
      vi.stubEnv("TRIGGER_API_URL", server.url);
      const { id, message } = deletedUser();
      expect((await deliver(message)).status).toBe(500);
      expect(logged().join("\n")).toContain("TRIGGER_SECRET_KEY");
      expect(await route.database.deletionOf(id)).toMatchObject({ run_id: null });
      await server.close();
    },
  );

  it("triggers nothing and answers 503 when the database does not answer, and logs no address", async () => {
    const { email, message } = deletedUser();
    vi.stubEnv("DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres");
    const answer = await deliver(message);
    expect(answer.status).toBe(503);
    expect(answer.body).toEqual({ error: "The database did not take the rows; deliver again" });
    expect(logged().join("\n")).toContain("ECONNREFUSED");
    expect(logged().join("\n")).not.toContain(email);
  });

  it("answers 500 and names the variable in its log only when the database is not configured", async () => {
    vi.stubEnv("DATABASE_URL", "");
    const { status, body } = await deliver(deletedUser().message);
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain("DATABASE_URL");
    expect(logged().join("\n")).toContain("DATABASE_URL");
  });
});
