import { expect, it } from "vitest";
import { backfill, edit, inboxForTests } from "@/tests/helpers/inbox/inbox.ts";
import { accept } from "./accept.ts";
import { leaseDue, leaseRow, leaseSettled, renewLease } from "./lease.ts";

const inbox = inboxForTests();
const lease = async (limit = 10) =>
  (await leaseDue(inbox.db, "note", "batch", limit)).entries.map(({ rowId }) => rowId).toSorted();

it("leases what has waited longest, from one queue, and as many as requested", async () => {
  for (const id of ["3", "1", "2"]) await accept(inbox.db, "note", [backfill(id)]);
  await accept(inbox.db, "note", [edit("4")]);
  expect(await lease(2)).toEqual(["1", "3"]);
  expect(await lease(2)).toEqual(["2"]);
  expect(await lease(2)).toEqual([]);
});

it("an entry is leased by one worker at a time, until the lease is over", async () => {
  await accept(inbox.db, "note", [edit("1")]);
  expect((await leaseRow(inbox.db, "note", "1")).entries).toMatchObject([{ rowId: "1", attempts: 1 }]);
  expect((await leaseRow(inbox.db, "note", "1")).entries).toEqual([]);
  await inbox.pass(61);
  expect((await leaseRow(inbox.db, "note", "1")).entries).toMatchObject([{ rowId: "1", attempts: 2 }]);
});

it("an entry that killed two workers is leased alone, after all others, and for longer each time", async () => {
  await accept(inbox.db, "note", ["1", "2", "3"].map(backfill));
  await inbox.db.execute("update aftercommit.pending set attempts = 2 where row_id <> '3'");
  expect(await lease()).toEqual(["3"]);
  expect(await lease()).toHaveLength(1);
  expect(await lease()).toHaveLength(1);
  expect(await inbox.entries()).toMatchObject([{ seconds: 120 }, { seconds: 120 }, { seconds: 60 }]);
  await inbox.db.execute("update aftercommit.pending set attempts = 30, next_attempt = now()");
  await lease();
  expect((await inbox.entries()).map(({ seconds }) => seconds).toSorted()).toEqual([0, 0, 3_600]);
});

it("an entry that waits to be certain is leased when every transaction that was open has ended, and not before", async () => {
  await accept(inbox.db, "note", [edit("1"), edit("2")]);
  await inbox.db.execute(`update aftercommit.pending
    set settle_xid = case row_id when '1' then accepted_xid else '999999999'::xid8 end`);
  expect((await leaseDue(inbox.db, "note", "realtime", 10)).entries).toEqual([]);
  expect((await leaseRow(inbox.db, "note", "2")).entries).toEqual([]);
  // On a shared server, transactions of other databases may be older.
  await expect
    .poll(async () => (await leaseSettled(inbox.db, "note", 10)).entries)
    .toMatchObject([{ rowId: "1" }]);
});

it("a worker keeps its leases for longer, and no one else's", async () => {
  await accept(inbox.db, "note", [backfill("1"), backfill("2")]);
  const [mine, other] = [
    await leaseDue(inbox.db, "note", "batch", 1),
    await leaseDue(inbox.db, "note", "batch", 1),
  ];
  await inbox.pass(30);
  const rowIds = [mine, other].flatMap(({ entries }) => entries.map(({ rowId }) => rowId));
  await renewLease(inbox.db, "note", { token: mine.token, rowIds });
  const seconds = new Map((await inbox.entries()).map((entry) => [entry.lease, entry.seconds]));
  expect([seconds.get(mine.token), seconds.get(other.token)]).toEqual([60, 30]);
});
