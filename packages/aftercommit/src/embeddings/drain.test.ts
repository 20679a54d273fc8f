import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { embeddingForTests, MODEL } from "@/tests/helpers/embedding.ts";
import { poisoned } from "@/tests/helpers/providers/strict-provider.ts";
import { PausedError } from "../providers/errors.ts";
import { SourceError } from "../source.ts";
import { drain } from "./drain.ts";

const tests = embeddingForTests();
const { database, provider, change, pending, inputs, insertPosts } = tests;

beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const neverWaits = () => Promise.reject(new Error("It waited"));
const drainPosts = (waitUntil: (at: number) => Promise<void> = neverWaits) =>
  drain(posts, { db: database.db, runId: "run_1", waitUntil });

const bucket = (tokens: number) =>
  database.db.execute(sql`
    insert into aftercommit.rate_limits (name, tokens, requests) values (${MODEL.name}, ${tokens}, 3000)
    on conflict (name) do update set tokens = excluded.tokens, updated_at = now()`);

const drains = async () =>
  (await database.db.execute(sql`select run_id as id, source from aftercommit.drains`)).rows;

it("processes everything that is due, and returns how many rows ended in each status", async () => {
  const ids = await insertPosts(20, (n) => (n === 7 ? "poison" : `Body ${n}`));
  provider.rule = poisoned({ named: true });
  await change(ids.slice(0, 5), "realtime");
  await change([...ids.slice(5), "987654321"], "batch");
  expect(await drainPosts()).toEqual({
    embedded: 19,
    unchanged: 0,
    deleted: 1,
    failed: 1,
    unsettled: 0,
    waiting: 0,
    chunks: 19,
    tokens: 19,
    left: false,
  });
  expect(await pending()).toMatchObject([{ id: ids[7], error: expect.any(String) }]);
});

it("also processes what is accepted while it runs, and what waited to be certain", async () => {
  const [first = "", second = "", settled = ""] = await insertPosts(3);
  await change([first, settled], "batch");
  await database.db.execute(sql`update aftercommit.pending set settle_xid = '3' where row_id = ${settled}`);
  let accepted = false;
  provider.rule = async () => {
    if (!accepted) await change([second], "batch");
    accepted = true;
    return undefined;
  };
  expect(await drainPosts()).toMatchObject({ embedded: 3 });
  expect(await pending()).toEqual([]);
});

it("is known to drain while it does, so that no other run is woken, and not afterwards", async () => {
  await change(await insertPosts(1), "batch");
  await database.db.execute(sql`update aftercommit.sources set woken_at = now()`);
  const seen: unknown[] = [];
  provider.rule = async () => {
    const { rows } = await database.db.execute(
      sql`select woken_at as woken from aftercommit.sources where name = 'post'`,
    );
    seen.push(await drains(), rows);
    return undefined;
  };
  await drainPosts();
  expect(seen).toEqual([[{ id: "run_1", source: "post" }], [{ woken: null }]]);
  expect(await drains()).toEqual([]);
});

it("processes edits first, and keeps a share for the rest", async () => {
  const ids = await insertPosts(3_001);
  const [slow = "", ...edits] = ids;
  await database.updatePost(BigInt(slow), { body: "of a backfill" });
  await change([slow], "batch");
  await change(edits, "realtime");
  await drainPosts();
  const place = provider.requests.findIndex(({ input }) => input.includes("Post\n\nof a backfill"));
  expect(place).toBeGreaterThan(0);
  expect(place).toBeLessThan(provider.requests.length - 1);
});

it("processes a row alone that killed two workers", async () => {
  const ids = await insertPosts(4);
  await change(ids, "batch");
  await database.db.execute(
    sql`update aftercommit.pending set attempts = 2, lease = gen_random_uuid() where row_id = ${ids[2]}`,
  );
  expect(await drainPosts()).toMatchObject({ embedded: 4 });
  expect(provider.requests.map(({ input }) => input.length).toSorted()).toEqual([1, 3]);
});

describe("when the provider's limits are used up", () => {
  it("a backfill waits, without a request and an attempt", async () => {
    await change(await insertPosts(3), "batch");
    await bucket(-500_000);
    const waits: number[] = [];
    const result = await drainPosts(async (at) => {
      waits.push(at - Date.now());
      expect(inputs()).toEqual([]);
      for (const entry of await pending()) expect(entry).toMatchObject({ attempts: 0, leased: false });
      await bucket(1_000_000);
      await tests.letTimeCome();
    });
    expect(waits).toEqual([expect.any(Number)]);
    expect(waits[0]).toBeGreaterThan(10_000);
    expect(result).toMatchObject({ embedded: 3 });
  });

  it("edits do not wait", async () => {
    await change(await insertPosts(3), "realtime");
    await bucket(-500_000);
    expect(await drainPosts()).toMatchObject({ embedded: 3 });
  });

  it("an edit that arrives while a backfill begins to wait does not wait with it", async () => {
    const [edited = "", ...others] = await insertPosts(3, (n) => `Body ${n}`);
    // The words are written before the limits are asked for.
    await database.db.execute(
      sql.raw(`
        create function arrive() returns trigger language plpgsql as $$ begin
          insert into aftercommit.pending (source, row_id, queue, version, accepted_at, accepted_xid, next_attempt)
          values ('post', '${edited}', 'realtime', nextval('aftercommit.pending_version'), clock_timestamp(),
            pg_current_xact_id(), clock_timestamp()) on conflict do nothing;
          return null;
        end $$;
        create trigger arrives after insert on aftercommit.post_words execute function arrive()`),
    );
    await change(others, "batch");
    await bucket(-500_000);
    await drainPosts(async () => {
      await database.db.execute(sql`drop function arrive() cascade`);
      expect(inputs().map((input) => input.split("\n").at(-1))).toEqual(["Body 0"]);
      await bucket(1_000_000);
      await tests.letTimeCome();
    });
    expect(inputs()).toHaveLength(3);
  });
});

describe("a run", () => {
  it("that takes long ends before everything is done, and says so", async () => {
    await change(await insertPosts(1_600), "batch");
    vi.useFakeTimers({ toFake: ["Date"] });
    provider.rule = () => {
      vi.setSystemTime(Date.now() + 16 * 60_000);
      return undefined;
    };
    const { left, embedded } = await drainPosts();
    expect(left).toBe(true);
    expect(embedded).toBeGreaterThan(0);
    expect(await pending()).toHaveLength(1_600 - embedded);
    expect(await drains()).toEqual([]);
  });

  it("ends if the model is paused, before it leases anything", async () => {
    await change(await insertPosts(1), "batch");
    await database.db.execute(
      sql`update aftercommit.models set paused_until = now() + interval '1 minute', pause_reason = '401'`,
    );
    await expect(drainPosts()).rejects.toThrow(PausedError);
    expect(await pending()).toMatchObject([{ leased: false, attempts: 0 }]);
    expect(await drains()).toEqual([]);
  });

  it("of another deployment leaves the inbox alone", async () => {
    await change(await insertPosts(1), "batch");
    const older = { ...posts, where: "author <> 'Draft'" };
    const run = drain(older, { db: database.db, runId: "run_2", waitUntil: neverWaits });
    await expect(run).rejects.toThrow(SourceError);
    expect(await pending()).toMatchObject([{ leased: false, attempts: 0 }]);
  });
});
