import { describe, expect, it } from "vitest";
import { backfill, edit, inboxForTests } from "@/tests/helpers/inbox/inbox.ts";
import { accept } from "./accept.ts";
import { endEntries } from "./end-entries.ts";
import { leaseDue } from "./lease.ts";

const inbox = inboxForTests();
const AT = "2026-11-28 10:00:00+00";

it("a delivery without a row writes nothing", async () => {
  expect(await accept(inbox.db, "note", [])).toEqual(new Map());
  expect(await inbox.entries()).toEqual([]);
});

it("a delivery that names a row several times creates one entry: an edit, with the known time", async () => {
  const versions = await accept(inbox.db, "note", [edit("1", AT), backfill("1"), backfill("2"), edit("1")]);
  expect(await inbox.entries()).toMatchObject([
    { id: "1", queue: "realtime", changedAt: AT, version: versions.get("1") },
    { id: "2", queue: "batch", changedAt: null, version: versions.get("2") },
  ]);
});

it("stores its rows in the order of their keys, whatever order they arrive in", async () => {
  const rows = ["9", "10", "2", "1", "b", "B", "é"];
  const versions = await accept(inbox.db, "note", rows.map(backfill));
  const inOrder = [...versions].toSorted(([, a], [, b]) => Number(a) - Number(b)).map(([id]) => id);
  expect(inOrder).toEqual(["1", "10", "2", "9", "B", "b", "é"]);
});

describe("a row that is already waiting", () => {
  it("goes before the others when it is edited", async () => {
    await accept(inbox.db, "note", [backfill("1")]);
    await accept(inbox.db, "note", [edit("1", AT)]);
    expect(await inbox.entries()).toMatchObject([{ queue: "realtime", changedAt: AT }]);
  });

  it("stays before the others when a backfill reaches it, and keeps the time of the edit", async () => {
    await accept(inbox.db, "note", [edit("1", AT)]);
    await accept(inbox.db, "note", [backfill("1")]);
    expect(await inbox.entries()).toMatchObject([{ queue: "realtime", changedAt: AT }]);
  });

  it("gets a new version with each delivery, even a repeated one", async () => {
    const first = await accept(inbox.db, "note", [edit("1", AT)]);
    const again = await accept(inbox.db, "note", [edit("1", AT)]);
    expect(Number(again.get("1"))).toBeGreaterThan(Number(first.get("1")));
  });
});

it("a leased entry keeps its lease when its row changes again, and is due as soon as its worker has ended", async () => {
  await accept(inbox.db, "note", [edit("1")]);
  const { token, entries } = await leaseDue(inbox.db, "note", "realtime", 10);
  await accept(inbox.db, "note", [edit("1")]);
  expect(await inbox.entries()).toMatchObject([{ lease: token, seconds: 60, attempts: 0 }]);
  expect((await leaseDue(inbox.db, "note", "realtime", 10)).entries).toEqual([]);
  const endings = entries.map((entry) => ({ entry, certain: true, kind: "done" }) as const);
  await inbox.db.transaction((tx) => endEntries(tx, "note", { token, endings }));
  expect(await inbox.entries()).toMatchObject([{ lease: null, seconds: 0 }]);
});

it("a change clears what was known about the text before: a failure, or an uncertain read", async () => {
  await accept(inbox.db, "note", [edit("1"), edit("2")]);
  await inbox.db.execute(`update aftercommit.pending set attempts = 7, error = 'refused', queue = 'batch',
    next_attempt = now() + interval '1 day' where row_id = '1'`);
  await inbox.db.execute("update aftercommit.pending set settle_xid = accepted_xid where row_id = '2'");
  await accept(inbox.db, "note", [edit("1"), edit("2")]);
  const due = { queue: "realtime", attempts: 0, error: null, settleXid: null, seconds: 0 };
  expect(await inbox.entries()).toMatchObject([due, due]);
});
