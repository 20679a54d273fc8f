import type { SQL } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { describe, expect, it } from "vitest";
import { backfill, edit, inboxForTests } from "@/tests/helpers/inbox/inbox.ts";
import { embeddedBy, provider } from "@/tests/helpers/inbox/notes.ts";
import type { Database } from "../db/client.ts";
import { drain } from "../embeddings/drain.ts";
import { accept } from "./accept.ts";
import { claimWakeUp, giveUpWakeUp, isAnythingDue, joinDrain, leaveDrain } from "./drains.ts";

const inbox = inboxForTests();
const claim = () => claimWakeUp(inbox.db, "note");
const dialect = new PgDialect();

describe("the right to wake the drain", () => {
  it("is one process's, and another's when no run has started for a minute", async () => {
    expect((await Promise.all([claim(), claim(), claim()])).filter(Boolean)).toHaveLength(1);
    await inbox.pass(30);
    expect(await claim()).toBe(false);
    await inbox.pass(31);
    expect(await claim()).toBe(true);
  });

  it("is free again when Trigger.dev has not accepted the run", async () => {
    expect(await claim()).toBe(true);
    await giveUpWakeUp(inbox.db, "note");
    expect(await claim()).toBe(true);
  });

  it("is taken while a run drains, and free when it has ended", async () => {
    await claim();
    await joinDrain(inbox.db, "note", "run_1");
    expect(await claim()).toBe(false);
    await leaveDrain(inbox.db, "run_1");
    expect(await claim()).toBe(true);
  });

  it("is free when the draining run has sent no heartbeat for 20 seconds", async () => {
    await joinDrain(inbox.db, "note", "run_1");
    await inbox.pass(10);
    expect(await claim()).toBe(false);
    await inbox.pass(11);
    expect(await claim()).toBe(true);
  });
});

/** Calls `work` before a statement with some text is executed. */
function before(text: string, work: () => Promise<unknown>): Database {
  let isDone = false;
  return new Proxy(inbox.db, {
    get(db, name) {
      if (name !== "execute") return Reflect.get(db, name);
      return async (query: SQL) => {
        if (!isDone && dialect.sqlToQuery(query).sql.includes(text)) {
          isDone = true;
          await work();
        }
        return db.execute(query);
      };
    },
  });
}

it("a row that is accepted while the run is about to end, and wakes no other, is processed by its last check", async () => {
  await accept(inbox.db, "note", [edit("1")]);
  let woken: boolean | undefined;
  const db = before("delete from aftercommit.drains where run_id", async () => {
    await accept(inbox.db, "note", [edit("2")]);
    woken = await claim();
  });
  const waitUntil = () => Promise.resolve();
  const done = await drain(embeddedBy(provider()), { db, runId: "run_1", waitUntil });
  expect(woken).toBe(false);
  expect(done).toMatchObject({ embedded: 2, left: false });
  expect(await inbox.entries()).toEqual([]);
});

it("something is due if an entry is, or is certain by now, and not if all are leased, failed or unsettled", async () => {
  const isDue = () => isAnythingDue(inbox.db, "note");
  expect(await isDue()).toBe(false);
  await accept(inbox.db, "note", [backfill("1")]);
  expect(await isDue()).toBe(true);
  await inbox.db.execute("update aftercommit.pending set next_attempt = now() + interval '1 minute'");
  expect(await isDue()).toBe(false);
  await inbox.db.execute(
    "update aftercommit.pending set next_attempt = now(), settle_xid = '999999999'::xid8",
  );
  expect(await isDue()).toBe(false);
  await inbox.db.execute("update aftercommit.pending set settle_xid = accepted_xid");
  // An open transaction in another database of the same server counts as well.
  await expect.poll(isDue).toBe(true);
});
