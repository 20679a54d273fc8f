import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { describe, expect, it } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { worldsForTests } from "@/tests/helpers/deletions/deletion-world.ts";
import { realPostgres } from "@/tests/helpers/real-postgres.ts";
import { until } from "@/tests/helpers/until.ts";
import { connect } from "../db/client.ts";
import { afterError } from "./errors.ts";
import { readDeletion, recordRowIsBack, recordSystemClean } from "./ledger.ts";
import { rowIsBack } from "./row-is-back.ts";

const worlds = worldsForTests();
const { world } = worlds;
const execute = (query: string) => worlds.database.db.execute(query);

const ended = { outcome: "row_is_back", email: null, last_error: null, completed_at: expect.any(Date) };

describe("a user who exists", () => {
  it("is neither cleaned up nor sent an e-mail: the message was replayed or forged", async () => {
    const { events, record, finish, insertUser } = world();
    await insertUser();
    const deletionId = await record();
    expect(await finish(deletionId)).toEqual({ deletionId, status: "row-is-back" });
    expect(events).toEqual([]);
    expect(await worlds.database.deletion(deletionId)).toMatchObject({ ...ended, systems: {} });
  });

  it("is neither after a delete and an insert in one transaction", async () => {
    const { events, record, finish, userId, insertUser } = world();
    await insertUser();
    await execute(`begin; create temporary table kept on commit drop as select * from users where id = '${userId}';
      delete from users where id = '${userId}'; insert into users select * from kept; commit`);
    const deletionId = await record();
    expect(await finish(deletionId)).toEqual({ deletionId, status: "row-is-back" });
    expect(events).toEqual([]);
  });

  it("is not checked again by a run of the ended deletion, even if deleted by then", async () => {
    const { events, record, finish, insertUser, deleteUser, stepsOf } = world();
    await insertUser();
    const deletionId = await record();
    await finish(deletionId);
    await deleteUser();
    expect(await finish(deletionId, "run_2")).toEqual({ deletionId, status: "row-is-back" });
    const steps = stepsOf(deletionId, "run_1");
    expect(await steps.cleanUp(["crm"])).toEqual([]);
    await steps.confirm();
    expect(events).toEqual([]);
  });

  it("who came back before the next system or the e-mail causes no more notifications", async () => {
    const { events, record, finish, insertUser, broken, statuses } = world({ broken: new Set(["crm"]) });
    const deletionId = await record();
    await expect(finish(deletionId)).rejects.toThrow("Not clean");
    await insertUser();
    Object.assign(statuses, { run_1: "FAILED" });
    broken.clear();
    events.length = 0;
    expect(await finish(deletionId, "run_2")).toEqual({ deletionId, status: "row-is-back" });
    expect(events).toEqual([]);
    expect(await worlds.database.deletion(deletionId)).toMatchObject({
      ...ended,
      systems: { billing: { done_at: expect.any(String) } },
    });
  });

  it("who came back while systems were cleaned gets no e-mail", async () => {
    const { events, record, finish, insertUser, stepsOf } = world();
    const deletionId = await record();
    const { cleanUp, confirm } = stepsOf(deletionId, "run_1");
    const steps = {
      async cleanUp(systems: readonly string[]) {
        const failures = await cleanUp(systems);
        await insertUser();
        return failures;
      },
      confirm,
    };
    expect(await finish(deletionId, "run_1", { steps })).toEqual({ deletionId, status: "row-is-back" });
    expect(events.toSorted()).toEqual(["billing", "crm"]);
  });

  it("does not wait for a transaction id of another cluster, from which the ledger was copied", async () => {
    const { record, finish, userId, insertUser } = world();
    await insertUser();
    await execute(`select from users where id = '${userId}' for update`);
    const deletionId = await record();
    await execute(`update aftercommit.deletions set accepted_xid = '9000000000' where id = ${deletionId}`);
    expect(await finish(deletionId)).toEqual({ deletionId, status: "row-is-back" });
  });

  it("does not undo a deletion that only lacks its completion", async () => {
    const { record, finish, insertUser } = world({ email: null });
    const deletionId = await record();
    for (const system of ["crm", "billing"])
      await recordSystemClean(worlds.database.db, deletionId, { system });
    await insertUser();
    expect(await finish(deletionId)).toMatchObject({ status: "complete" });
  });
});

describe("a user who is deleted, restored and deleted again", () => {
  it("is cleaned up and gets the e-mail twice, whatever the first deletion recorded", async () => {
    const { events, keys, record, finish, insertUser, deleteUser } = world();
    const first = await record("1:0:2026-01-01T00:00:00Z");
    await finish(first);
    await insertUser();
    await deleteUser();
    const second = await record("2:0:2026-01-02T00:00:00Z");
    expect(second).not.toBe(first);
    expect((await worlds.database.deletion(second)).systems).toEqual({});
    expect(await finish(second)).toMatchObject({
      status: "complete",
      systems: { crm: "clean", billing: "clean" },
      confirmation: "sent",
    });
    expect(events.toSorted()).toEqual(["billing", "billing", "crm", "crm", "mail", "mail"]);
    // Receivers drop messages with the webhook-id or the Message-ID of another message.
    expect(new Set(keys).size).toBe(6);
  });

  it("is cleaned up after a first deletion that ended because the row was back", async () => {
    const { events, record, finish } = world();
    await recordRowIsBack(worlds.database.db, await record("1:0:"));
    expect(await finish(await record("2:0:"))).toMatchObject({ status: "complete" });
    expect(events).toHaveLength(3);
  });

  it("has one deletion per position, however often it is delivered", async () => {
    const { record } = world();
    expect(await record("1:0:")).toBe(await record("1:0:"));
  });
});

describe("a row that cannot be read", () => {
  it("leaves the deletion open and says why, until it can", async () => {
    const { events, record, finish } = world();
    const deletionId = await record();
    await execute("alter table users rename to members");
    try {
      const error = await finish(deletionId).catch((reason) => reason);
      expect(error.message).toBe('cannot look at "public"."users": relation "public.users" does not exist');
      expect(afterError({ error })).toBeUndefined();
      expect(await worlds.database.deletion(deletionId)).toMatchObject({
        outcome: null,
        email: "to@example.com",
        last_error: error.message,
      });
      expect(events).toEqual([]);
    } finally {
      await execute("alter table members rename to users");
    }
    expect(await finish(deletionId)).toMatchObject({ status: "complete" });
  });

  it("is left alone by a worker whose declaration differs from the database's", async () => {
    const { events, record, finish } = world({ declaration: { ...users, key: "email" } });
    const error = await finish(await record()).catch((reason) => reason);
    expect(error.message).toContain("The declaration of user is not the one that the database has");
    expect(afterError({ error })).toEqual({ skipRetrying: true });
    expect(events).toEqual([]);
  });
});

describe.skipIf(!realPostgres)("with concurrent transactions (needs TEST_DATABASE_URL)", () => {
  async function connected(work: (client: Client) => Promise<void>) {
    const client = new Client({ connectionString: worlds.database.url });
    await client.connect();
    try {
      await work(client);
    } finally {
      await client.end();
    }
  }

  it("a delete that is not visible yet is awaited, and then continues (rule 4)", async () => {
    const { userId, record, finish, insertUser } = world();
    await insertUser();
    await connected(async (client) => {
      await client.query("begin");
      await client.query("delete from users where id = $1", [userId]);
      const deletionId = await record();
      const finished = finish(deletionId);
      await until(async () => (await worlds.database.deletion(deletionId)).run_id === "run_1");
      await client.query("commit");
      expect(await finished).toMatchObject({ status: "complete", confirmation: "sent" });
    });
  });

  it("is retried later if that takes long, and ends according to the row at that time", async () => {
    const { userId, events, record, finish, insertUser } = world();
    await insertUser();
    await connected(async (client) => {
      await client.query("begin");
      await client.query("delete from users where id = $1", [userId]);
      const deletionId = await record();
      const error = await finish(deletionId).catch((reason) => reason);
      expect(error.message).toBe("the row exists, and its deletion may not be visible yet");
      expect(afterError({ error })).toEqual({ retryAt: expect.any(Date) });
      expect(await worlds.database.deletion(deletionId)).toMatchObject({
        outcome: null,
        email: "to@example.com",
      });
      await client.query("rollback");
      expect(await finish(deletionId)).toEqual({ deletionId, status: "row-is-back" });
      expect(events).toEqual([]);
    });
  });

  it("a row whose xmax is 0 is back, however long other transactions take", async () => {
    const { record, finish, insertUser } = world();
    await insertUser();
    await connected(async (client) => {
      await client.query("begin");
      await client.query("select pg_current_xact_id()");
      expect(await finish(await record())).toMatchObject({ status: "row-is-back" });
      await client.query("rollback");
    });
  });

  it("a row that a policy hides is an error, and not deleted (rule 3)", async () => {
    const { record, insertUser } = world();
    await insertUser();
    const deletion = await readDeletion(worlds.database.db, await record());
    if (!deletion) throw new Error("no deletion");
    const role = `looker_${randomUUID().replaceAll("-", "")}`;
    await execute(`create role ${role} login password 'x'; grant usage on schema aftercommit to ${role};
      grant select, update, delete on all tables in schema aftercommit to ${role}`);
    const url = new URL(worlds.database.url);
    Object.assign(url, { username: role, password: "x" });
    const message = () => rowIsBack(connect(url.href), users, deletion).catch((error) => error.message);
    try {
      expect(await message()).toBe('cannot look at "public"."users": permission denied for table users');
      await execute(`grant select on users to ${role}; alter table users enable row level security`);
      expect(await message()).toBe(
        'cannot look at "public"."users": query would be affected by row-level security policy for table "users"',
      );
      await execute(`alter role ${role} bypassrls`);
      expect(await message()).toBe(true);
    } finally {
      await execute(`alter table users disable row level security; drop owned by ${role}; drop role ${role}`);
    }
  });
});
