import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { worldsForTests } from "@/tests/helpers/deletions/deletion-world.ts";
import { recordedDeletion } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { newReceiptKey, runDeletions } from "@/tests/helpers/deletions/run-deletions.ts";
import { FIRST_MODEL } from "@/tests/helpers/postgres-template.ts";
import { defineDeletion } from "../define.ts";
import { migrate } from "../migrate/migrate.ts";
import { readDeletion } from "./ledger.ts";

const worlds = worldsForTests();
const { world } = worlds;
const KEY = newReceiptKey();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "receipts-"));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  vi.stubEnv("DELETION_RECEIPT_KEY", KEY);
  await worlds.database.db.execute(sql`truncate aftercommit.deletions, aftercommit.deletion_holds, users`);
});

const run = (...args: string[]) => runDeletions(worlds.database.db, [users], ...args);

/** Exports all receipts to a file outside the database. */
async function exported(): Promise<string> {
  const file = join(folder, `${randomUUID()}.jws`);
  await writeFile(file, (await run("export")).map((line) => `${line}\n`).join(""));
  return file;
}

const replay = (file: string, ...args: string[]) =>
  run("replay", "--receipts", file, "--since", new Date(Date.now() - 3_600_000).toISOString(), ...args);

/** The state after restoring an old backup: the users exist, and the ledger knows no deletion. */
async function restore(...restored: { insertUser: () => Promise<unknown> }[]): Promise<void> {
  await worlds.database.db.execute(sql`delete from aftercommit.deletions`);
  for (const user of restored) await user.insertUser();
}

const exists = async (userId: string) =>
  (await worlds.database.db.execute(sql`select from users where id = ${userId}`)).rowCount === 1;

describe("after a restore", () => {
  it("finds a deleted user who exists again, and deletes no one before --yes", async () => {
    const [ann, bob, eve] = [world(), world(), world()];
    for (const deleted of [ann, bob]) await deleted.finish(await deleted.record());
    const file = await exported();
    await restore(ann, eve);
    const lines = await replay(file);
    expect(lines).toEqual([
      expect.stringMatching(`^user ${ann.userId}, deleted on .*Z, exists again\\.$`),
      "Nothing is deleted yet. To delete these 1: add --yes",
    ]);
    expect(await exists(ann.userId)).toBe(true);

    expect(await replay(file, "--yes")).toEqual([
      expect.stringMatching(`^user ${ann.userId}, deleted on .*Z, is deleted again\\.$`),
    ]);
    expect([await exists(ann.userId), await exists(eve.userId)]).toEqual([false, true]);
    expect(await replay(file)).toEqual(["No row that was deleted since then exists again."]);
  });

  it("cleans everywhere again, and sends no second e-mail to users who got one", async () => {
    const { events, record, finish, insertUser } = world();
    await finish(await record());
    const file = await exported();
    await restore({ insertUser });
    await replay(file, "--yes");
    events.length = 0;
    const deletionId = await record();
    expect(await finish(deletionId)).toMatchObject({ status: "complete" });
    expect(events.toSorted()).toEqual(["billing", "crm"]);
    expect(await readDeletion(worlds.database.db, deletionId)).toMatchObject({
      email: null,
      outcome: "completed",
      confirmationSentAt: expect.any(Date),
    });
  });

  it("sends the e-mail to users who got none before, and to users who are deleted again later", async () => {
    const open = world({ broken: new Set(["crm"]) });
    await expect(open.finish(await open.record())).rejects.toThrow("Not clean");
    const file = await exported();
    await restore(open);
    await replay(file, "--yes");
    open.broken.clear();
    await open.finish(await open.record());
    expect(open.events.filter((event) => event === "mail")).toHaveLength(1);
    await open.finish(await open.record());
    expect(open.events.filter((event) => event === "mail")).toHaveLength(2);
  });

  it("sends the e-mail to users who came back afterwards and are deleted again later", async () => {
    const { events, record, finish, insertUser, deleteUser } = world();
    await finish(await record());
    const file = await exported();
    await restore({ insertUser });
    await replay(file, "--yes");
    await insertUser();
    expect(await finish(await record())).toMatchObject({ status: "row-is-back" });
    await deleteUser();
    events.length = 0;
    expect(await finish(await record())).toMatchObject({ confirmation: "sent" });
    expect(events).toContain("mail");
  });

  it("leaves alone users who were deleted before the backup, came back themselves, or were on hold", async () => {
    const [before, back, held] = [world(), world(), world()];
    for (const one of [before, back, held]) await one.finish(await one.record());
    await worlds.database.db.execute(sql`update aftercommit.deletions
      set requested_at = requested_at - interval '2 hours' where row_id = ${before.userId}`);
    await back.insertUser();
    await back.finish(await back.record());
    await run("hold", "--user", held.userId, "--reason", "a court asked for it");
    const file = await exported();
    await restore(before, held);
    expect(await replay(file, "--yes")).toEqual([
      expect.stringMatching(`^user ${held.userId}, deleted on .*, was on hold: left alone\\.`),
      "No row that was deleted since then exists again.",
    ]);
    for (const { userId } of [before, back, held]) expect(await exists(userId)).toBe(true);
  });

  it("deletes nothing when one receipt cannot be trusted, and says which", async () => {
    const ann = world();
    await ann.finish(await ann.record());
    const file = await exported();
    await restore(ann);
    await writeFile(file, `\n${"x".repeat(20)}\n`, { flag: "a" });
    await expect(replay(file, "--yes")).rejects.toThrow(/line 3: .*\. Nothing is deleted$/);
    vi.stubEnv("DELETION_RECEIPT_KEY", newReceiptKey());
    await expect(replay(file, "--yes")).rejects.toThrow(
      "line 1: signed by another key than DELETION_RECEIPT_KEY",
    );
    expect(await exists(ann.userId)).toBe(true);
  });

  it("says what the database rejects, and continues with the others", async () => {
    const [ann, bob] = [world(), world()];
    for (const deleted of [ann, bob]) await deleted.finish(await deleted.record());
    const file = await exported();
    await restore(ann, bob);
    const { db } = worlds.database;
    await db.execute(sql`create table invoices (user_id uuid references users (id))`);
    await db.execute(sql`insert into invoices values (${ann.userId})`);
    await expect(replay(file, "--yes")).rejects.toThrow("1 of 2 rows could not be deleted");
    expect([await exists(ann.userId), await exists(bob.userId)]).toEqual([true, false]);
    await db.execute(sql`drop table invoices`);
  });

  it("finds one among 50,000 users", async () => {
    const ann = world();
    await ann.finish(await ann.record());
    const file = await exported();
    await restore(ann);
    await worlds.database.db.execute(sql`insert into users (id, first_name, last_name, email)
      select gen_random_uuid(), 'Jane', 'Doe', n || '@example.com' from generate_series(1, 50000) n`);
    expect((await replay(file))[0]).toContain(ann.userId);
  });
});

it("a row that is only marked as deleted is marked again", async () => {
  const { db, url } = worlds.database;
  const accounts = defineDeletion({
    row: "account",
    table: "public.accounts",
    key: "id",
    when: "deleted_at",
  });
  await db.execute(sql`create table accounts (id bigint primary key, deleted_at timestamptz);
    alter table accounts replica identity full`);
  await migrate({ url, declarations: [accounts], model: FIRST_MODEL });
  for (const userId of ["7", "8"]) await recordedDeletion(db, { source: "account", userId });
  const file = await exported();
  await db.execute(sql`insert into accounts values (7, null), (8, now()), (9, null)`);
  const since = new Date(Date.now() - 3_600_000).toISOString();
  const args = ["replay", "--receipts", file, "--since", since, "--yes"];
  expect(await runDeletions(db, [accounts], ...args)).toEqual([
    expect.stringMatching(/^account 7, deleted on .*, is deleted again\.$/),
  ]);
  const { rows } = await db.execute(sql`select id from accounts where deleted_at is null`);
  expect(rows).toEqual([{ id: "9" }]);
});
