import { APIError } from "openai";
import { expect, it } from "vitest";
import { edit, inboxForTests } from "@/tests/helpers/inbox/inbox.ts";
import { provider, sourceEmbeddedBy } from "@/tests/helpers/inbox/notes.ts";
import type { Provider } from "../declare/provider.ts";
import { embedLease } from "../embeddings/embed-lease.ts";
import { accept } from "./accept.ts";
import { type Ending, endEntries, LeasesLostError } from "./end-entries.ts";
import type { Lease, Leased } from "./entry.ts";
import { leaseDue } from "./lease.ts";

const inbox = inboxForTests();

async function leased(...ids: string[]): Promise<Lease> {
  await accept(
    inbox.db,
    "note",
    ids.map((id) => edit(id)),
  );
  return leaseDue(inbox.db, "note", "realtime", ids.length);
}

const end = ({ token, entries }: Lease, ending: (entry: Leased) => Ending) =>
  inbox.db.transaction((tx) => endEntries(tx, "note", { token, endings: entries.map(ending) }));

const work = (lease: Lease, by: Provider) =>
  embedLease(
    { db: inbox.db, source: sourceEmbeddedBy(by, inbox.source), priority: true, builds: false },
    lease,
  );

const failing = (embed: Provider["embed"]): Provider => ({ ...provider(), embed });

it("an entry that is done is deleted, and one whose read was not certain stays until it is", async () => {
  await end(await leased("1"), (entry) => ({ entry, certain: true, kind: "done" }));
  await end(await leased("2"), (entry) => ({ entry, certain: false, kind: "done" }));
  const entries = await inbox.entries();
  expect(entries).toMatchObject([{ id: "2", lease: null, attempts: 0, error: null }]);
  expect(entries[0]?.settleXid).not.toBeNull();
});

it("a failure is recorded with its reason and the next attempt, and the row no longer goes before the others", async () => {
  await end(await leased("1"), (entry) => ({ entry, certain: true, kind: "failed", error: "too long" }));
  expect(await inbox.entries()).toMatchObject([
    { queue: "batch", lease: null, attempts: 1, error: "too long", seconds: 60 },
  ]);
});

it("the failure of a text that may not be the newest is not recorded", async () => {
  await end(await leased("1"), (entry) => ({ entry, certain: false, kind: "failed", error: "too long" }));
  expect(await inbox.entries()).toMatchObject([{ queue: "realtime", error: null, attempts: 0, lease: null }]);
  expect((await inbox.entries())[0]?.settleXid).not.toBeNull();
});

it("whatever the result of an older version, a newer one is due now", async () => {
  const lease = await leased("1", "2", "3");
  await accept(
    inbox.db,
    "note",
    ["1", "2", "3"].map((id) => edit(id)),
  );
  const kinds = [
    { kind: "done" },
    { kind: "failed", error: "too long" },
    { kind: "later", at: 9e12, queue: "batch" },
  ] as const;
  await end(lease, (entry) => ({ entry, certain: true, ...(kinds[Number(entry.rowId) - 1] ?? kinds[0]) }));
  const due = { queue: "realtime", error: null, lease: null, attempts: 0, seconds: 0 };
  expect(await inbox.entries()).toMatchObject([due, due, due]);
});

it("nothing is written about rows whose lease another worker has now, and they are named", async () => {
  const lease = await leased("1", "2");
  await inbox.db.execute("update aftercommit.pending set lease = gen_random_uuid() where row_id = '2'");
  const ending = end(lease, (entry) => ({ entry, certain: true, kind: "done" }));
  await expect(ending).rejects.toThrow(LeasesLostError);
  await expect(ending).rejects.toMatchObject({ rowIds: new Set(["2"]) });
  expect(await inbox.entries()).toHaveLength(2);
});

it("a failure that has nothing to do with a row costs no row an attempt", async () => {
  const failures: [Provider["embed"], string][] = [
    [() => Promise.reject(APIError.generate(401, {}, "no such key", new Headers())), "no such key"],
    [() => Promise.reject(APIError.generate(500, {}, "down", new Headers())), "down"],
    [() => Promise.reject(new TypeError("a fault of ours")), "a fault of ours"],
  ];
  for (const [embed, message] of failures) {
    await inbox.db.execute(
      "update aftercommit.models set paused_until = null; delete from aftercommit.pending",
    );
    await expect(work(await leased("1", "2"), failing(embed))).rejects.toThrow(message);
    const free = { lease: null, attempts: 0, error: null, queue: "realtime" };
    expect(await inbox.entries()).toMatchObject([free, free]);
  }
});

it("a dropped column costs no row an attempt, and the rows are due", async () => {
  await inbox.db.execute("alter table notes rename body to content");
  try {
    await expect(work(await leased("1"), provider())).rejects.toThrow();
    expect(await inbox.entries()).toMatchObject([{ lease: null, attempts: 0, error: null, seconds: 0 }]);
  } finally {
    await inbox.db.execute("alter table notes rename content to body");
  }
});

it("a text that the provider rejects fails alone: the others of its lease are written", async () => {
  await inbox.db.execute("update notes set body = 'bad' where id = 2");
  const refusing = failing(async (request) => {
    if (request.texts.includes("bad")) throw APIError.generate(400, {}, "refused", new Headers());
    return provider().embed(request);
  });
  const { statuses } = await work(await leased("1", "2", "3"), refusing);
  expect([...statuses].toSorted()).toEqual([
    ["1", "embedded"],
    ["2", "failed"],
    ["3", "embedded"],
  ]);
  expect(await inbox.entries()).toMatchObject([{ id: "2", seconds: 60 }]);
});
