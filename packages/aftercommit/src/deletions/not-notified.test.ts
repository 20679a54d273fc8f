import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { cleanUpsForTests } from "@/tests/helpers/deletions/clean-ups.ts";
import { ENVIRONMENT } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { afterError } from "./errors.ts";

const cleanUps = cleanUpsForTests();
const { urlOf, systemOf, newDeletion, cleanUp, callsFor } = cleanUps;

describe("cleaning an external system that must not be notified", () => {
  it("does not notify a system that is configured later than the deletion was accepted", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", `${urlOf("crm")}, ${urlOf("billing")}`);
    const id = await newDeletion();
    expect((await cleanUp(id, systemOf("billing"))).status).toBe("not-required");
    expect(await callsFor(id)).toEqual([]);
  });

  it.each([
    ["another system only", { USER_DELETION_WEBHOOK_URLS: "https://other.example" }, /^not configured where/],
    ["none", { USER_DELETION_WEBHOOK_URLS: "none" }, /^not configured where/],
    ["no list of systems", { USER_DELETION_WEBHOOK_URLS: "" }, /^USER_DELETION_WEBHOOK_URLS is not set/],
    ["no secret", { USER_DELETION_WEBHOOK_SECRET: "" }, /^USER_DELETION_WEBHOOK_SECRET is not set/],
  ])("fails immediately and says so in the ledger if the task has %s", async (_, variables, message) => {
    const id = await newDeletion();
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    const error = await cleanUp(id).catch((reason) => reason);
    expect(error.message).toMatch(message);
    expect(afterError({ error })).toEqual({ skipRetrying: true });
    expect((await cleanUps.database.deletion(id)).systems[systemOf("crm")]).toEqual({
      failed_at: expect.any(String),
      error: error.message,
    });
  });

  it("does nothing for a deletion that is not recorded, and does not try again", async () => {
    const error = await cleanUp("999999").catch((reason) => reason);
    expect(error.message).toBe("No deletion 999999 is recorded");
    expect(afterError({ error })).toEqual({ skipRetrying: true });
  });

  it("notifies no one about a user who exists, then or later", async () => {
    const id = await newDeletion();
    const { row_id: userId } = await cleanUps.database.deletion(id);
    await cleanUps.database.db.execute(sql`insert into users (id, first_name, last_name, email)
      values (${userId}, 'Jane', 'Doe', ${`${userId}@example.com`})`);
    expect((await cleanUp(id)).status).toBe("row-is-back");
    expect(await cleanUps.database.deletion(id)).toMatchObject({ outcome: "row_is_back", systems: {} });
    await cleanUps.database.db.execute(sql`delete from users where id = ${userId}`);
    expect((await cleanUp(id)).status).toBe("row-is-back");
    expect(await callsFor(id)).toEqual([]);
  });

  it("touches nothing of a table that is not declared where the task runs", async () => {
    const run = cleanUp(await newDeletion(), systemOf("crm"), { declarations: [] });
    await expect(run).rejects.toThrow("user is not declared where the task runs");
  });

  it("touches nothing in an environment other than the one that began the deletion", async () => {
    const id = await newDeletion();
    const before = await cleanUps.database.deletion(id);
    const run = cleanUp(id, systemOf("crm"), { environment: "proj_tests/env_dev" });
    const error = await run.catch((reason) => reason);
    expect(error.message).toBe(`Deletion ${id} was begun by ${ENVIRONMENT}: only a run there may work on it`);
    expect(afterError({ error })).toEqual({ skipRetrying: true });
    expect(await cleanUps.database.deletion(id)).toEqual(before);
    expect(await callsFor(id)).toEqual([]);
  });
});
