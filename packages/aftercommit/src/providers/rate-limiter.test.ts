import { sql } from "drizzle-orm";
import { beforeEach, expect, it } from "vitest";
import { databaseForTests } from "@/tests/helpers/posts-database.ts";
import { acquire, correct } from "./rate-limiter.ts";

const database = databaseForTests();
const name = "a-model";
const limits = { tokensPerMinute: 600_000, requestsPerMinute: 600 };

const take = (tokens: number, priority: boolean) => acquire(database.db, { name, tokens, priority, limits });

type Bucket = { tokens: number; requests: number; blocked: boolean };

async function bucket(): Promise<Bucket | undefined> {
  const { rows } = await database.db.execute<Bucket>(
    sql`select tokens, requests, blocked_until > now() as blocked from aftercommit.rate_limits where name = ${name}`,
  );
  return rows[0];
}

/** Sets the bucket to its state a moment ago, or `agoSeconds`. */
const fill = (tokens: number, requests: number, agoSeconds = 0) =>
  database.db.execute(sql`insert into aftercommit.rate_limits (name, tokens, requests, updated_at)
    values (${name}, ${tokens}, ${requests}, clock_timestamp() - ${agoSeconds}::float8 * interval '1 second')
    on conflict (name) do update set tokens = excluded.tokens, requests = excluded.requests,
      updated_at = excluded.updated_at, blocked_until = null`);

beforeEach(() => database.db.execute(sql`truncate aftercommit.rate_limits`));

it("starts with a full bucket, and acquired tokens are gone", async () => {
  expect(await take(100_000, false)).toBe(0);
  const left = await bucket();
  expect(left?.tokens).toBeCloseTo(500_000, -4);
  expect(left?.requests).toBeCloseTo(599, -1);
});

it("fills the bucket over time, up to its limit", async () => {
  await fill(0, 300, 6);
  expect(await take(1, true)).toBe(0);
  // A tenth of a minute: a tenth of the tokens, and a little for the time that the test took.
  expect((await bucket())?.tokens).toBeGreaterThanOrEqual(59_999);
  await fill(600_000, 600, 3_600);
  expect(await take(0, true)).toBe(0);
  expect((await bucket())?.tokens).toBe(600_000);
});

it.each([
  ["tokens", 20_000, 600],
  ["requests", 600_000, 20],
])(
  "has all without priority wait where %s are scarce, and leaves the headroom",
  async (_, tokens, requests) => {
    await fill(tokens, requests);
    expect(await take(10_000, false)).toBeGreaterThan(0);
    const left = await bucket();
    expect(left?.tokens).toBeGreaterThanOrEqual(tokens);
    expect(left?.requests).toBeGreaterThanOrEqual(requests);
  },
);

it("says how long to wait until there is enough above the headroom", async () => {
  await fill(20_000, 600);
  // 10,000 requested and 30,000 of headroom: 20,000 are missing, which takes 2 s at 10,000 a second.
  const wait = await take(10_000, false);
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(2_000);
  // What flowed in before the request shortens the wait.
  await fill(20_000, 600, 2);
  expect(await take(10_000, false)).toBe(0);
});

it("never makes priority wait, however empty the bucket is, and the others then wait longer", async () => {
  await fill(0, 0);
  for (let edit = 0; edit < 5; edit += 1) expect(await take(50_000, true)).toBe(0);
  expect((await bucket())?.tokens).toBeLessThan(0);
  expect(await take(1, false)).toBeGreaterThan(10_000);
});

it("owes no more than a minute's tokens and requests, however much priority takes", async () => {
  await fill(0, 0);
  for (let edit = 0; edit < 5; edit += 1) expect(await take(500_000, true)).toBe(0);
  expect((await bucket())?.tokens).toBeGreaterThanOrEqual(-600_000);
  // At most what is owed, the headroom and the token itself.
  expect(await take(1, false)).toBeLessThanOrEqual(63_001);
});

it("makes priority wait only while the provider has asked every process to", async () => {
  await take(1, true);
  await correct(database.db, name, { waitMs: 60_000 });
  expect(await take(1, true)).toBeGreaterThan(30_000);
  await database.db.execute(
    sql`update aftercommit.rate_limits set blocked_until = now() - interval '1 second'`,
  );
  expect(await take(1, true)).toBe(0);
});

it("grants a request that is larger than a full bucket, for every limit", async () => {
  for (const tokensPerMinute of [1, 7, 30, 333, 1_000, 99_999, 1_000_001, 3_333_333]) {
    const small = { tokensPerMinute, requestsPerMinute: 1 };
    const asked = { name: `limit ${tokensPerMinute}`, tokens: 4e6, priority: false, limits: small };
    expect([tokensPerMinute, await acquire(database.db, asked)]).toEqual([tokensPerMinute, 0]);
  }
});

it("grants no more than the bucket holds to many parallel requests", async () => {
  await fill(600_000, 600);
  const waits = await Promise.all(Array.from({ length: 20 }, () => take(57_000, false)));
  // 570,000 above the headroom. What flows in on a slow machine may be enough for a few more.
  expect(waits.filter((wait) => wait === 0).length).toBeGreaterThanOrEqual(10);
  expect((await bucket())?.tokens).toBeGreaterThanOrEqual(30_000);
});

it("is only corrected downwards by what the provider says is left, and gets refunds", async () => {
  await fill(500, 5);
  await correct(database.db, name, { tokens: 9_999, requests: 99 });
  expect(await bucket()).toMatchObject({ tokens: 500, requests: 5 });
  await correct(database.db, name, { tokens: 400, requests: 4 });
  expect(await bucket()).toMatchObject({ tokens: 400, requests: 4 });
  await correct(database.db, name, { refund: 100 });
  expect(await bucket()).toMatchObject({ tokens: 500, requests: 4 });
});

it("makes texts wait if a provider limits them per minute, however few requests have them", async () => {
  const ofTexts = { ...limits, inputsPerMinute: 100 };
  const take = (inputs: number, priority = false) =>
    acquire(database.db, { name, tokens: 1, inputs, priority, limits: ofTexts });
  expect(await take(95)).toBe(0);
  const wait = await take(50);
  // Half a minute's texts are missing, minus those that flowed in while the test ran.
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(30_000);
  expect(await take(50, true)).toBe(0);
});
