import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { embeddingForTests } from "@/tests/helpers/embedding.ts";
import { answerWith, hang } from "@/tests/helpers/faulty-server.ts";
import { poisoned, refuse, vectorOf } from "@/tests/helpers/providers/strict-provider.ts";
import { openai } from "./openai.ts";

let declaration = posts;
const tests = embeddingForTests(() => declaration);
const { database, provider, insertPosts, work, pending, letTimeCome } = tests;

beforeEach(async () => {
  declaration = posts;
  vi.spyOn(console, "warn").mockImplementation(() => {});
  await database.db.execute(sql`update aftercommit.models set max_input_tokens = null`);
});
afterEach(() => void vi.restoreAllMocks());

const page = (n = 0) => `Page ${n}. ${"The quick brown fox jumps over the lazy dog. ".repeat(90)}`;
const LONGEST = 2_000;
const isLong = (text: string) => text.length > LONGEST;

const learned = async () =>
  (
    await database.db.execute<{ most: number | null }>(
      sql`select max_input_tokens as most from aftercommit.models`,
    )
  ).rows[0]?.most;

/** How many requests since the last call were rejected. */
function refusals(): number {
  const refused = provider.requests.filter(({ input }) => input.some(isLong)).length;
  provider.requests = [];
  return refused;
}

describe("a model that only accepts inputs of 512 tokens", () => {
  it.each([
    ["413", answerWith(413, '{"message":"inputs must have less than 512 tokens","code":413}')],
    ["400", refuse("maximum context length is 512 tokens")],
    ["500 that tells of the length", answerWith(500, '{"error":"input is too large to process"}')],
  ])(
    "and refuses others by %s gets a page in smaller passages, and the next page immediately",
    async (_, fault) => {
      provider.rule = ({ input }) => (input.some(isLong) ? fault : undefined);
      const [first = ""] = await insertPosts(1, page);
      const { statuses } = await work([first]);
      expect(statuses.get(first)).toBe("embedded");
      expect(refusals()).toBeGreaterThan(0);
      const most = await learned();
      expect(most).toBeGreaterThan(100);
      expect(most).toBeLessThanOrEqual(600);
      const others = await insertPosts(20, page);
      expect(new Set((await work(others)).statuses.values())).toEqual(new Set(["embedded"]));
      expect(refusals()).toBe(0);
      expect(await pending()).toEqual([]);
    },
  );

  it("and declares it never gets a longer one", async () => {
    declaration = { ...posts, providers: [openai({ limits: { tokensPerInput: 400 } })] };
    provider.rule = ({ input }) => (input.some(isLong) ? refuse("too long") : undefined);
    const ids = await insertPosts(3, page);
    expect(new Set((await work(ids)).statuses.values())).toEqual(new Set(["embedded"]));
    expect(refusals()).toBe(0);
    expect(await learned()).toBeNull();
  });
});

it("a server that drops the connection for every long text counts as one with a lower limit, after a few", async () => {
  provider.rule = ({ input }) => (input.some(isLong) ? (_, response) => void response.destroy() : undefined);
  const ids = await insertPosts(8, page);
  expect(new Set((await work(ids)).statuses.values())).toEqual(new Set(["embedded"]));
  expect(await learned()).toBeGreaterThan(100);
  refusals();
  await work(await insertPosts(20, page));
  expect(refusals()).toBe(0);
});

describe("a long text that fails for its content", () => {
  it("fails alone, and the model's inputs stay as long as they were", async () => {
    const ids = await insertPosts(4, (n) => (n === 2 ? `${page()} poison ${page()}` : page(n)));
    provider.rule = poisoned({ named: false });
    const { statuses } = await work(ids);
    expect([...statuses].filter(([, status]) => status === "failed")).toEqual([[ids[2], "failed"]]);
    expect(await learned()).toBeNull();
  });

  it("at its length only, while others as long are taken, is split by itself", async () => {
    const ids = await insertPosts(4, (n) => (n === 3 ? `${page()} odd` : page(n)));
    const isOdd = (text: string) => isLong(text) && text.includes("odd");
    provider.rule = ({ input }) => (input.some(isOdd) ? answerWith(500, '{"error":"NaN"}') : undefined);
    const { statuses } = await work(ids);
    expect(new Set(statuses.values())).toEqual(new Set(["embedded"]));
    expect(await learned()).toBeNull();
  });
});

it("a server that takes ten texts a request is asked for no more, once that is known", async () => {
  declaration = { ...posts, providers: [openai()] };
  provider.rule = ({ input }) => (input.length > 10 ? refuse("batch size > maximum allowed") : undefined);
  const sizes = () => provider.requests.map(({ input }) => input.length).filter((size) => size > 10);
  expect(new Set((await work(await insertPosts(60))).statuses.values())).toEqual(new Set(["embedded"]));
  // 60, 30 and 15.
  expect(sizes()).toEqual([60, 30, 15]);
  provider.requests = [];
  await work(await insertPosts(60));
  expect(sizes()).toEqual([]);
});

it("a server that answers one vector whatever it gets is asked for one text at a time, once that is known", async () => {
  declaration = { ...posts, providers: [openai()] };
  provider.rule = ({ input: [first = ""] }) =>
    answerWith(200, JSON.stringify({ data: [{ index: 0, embedding: vectorOf(first) }] }));
  const ids = await insertPosts(8);
  expect(new Set((await work(ids)).statuses.values())).toEqual(new Set(["embedded"]));
  for (const [n, id] of ids.entries())
    await tests.expectEmbedded(BigInt(id), { title: "Post", body: `Body ${n}` });
  provider.requests = [];
  await work(await insertPosts(8));
  expect(provider.requests.map(({ input }) => input.length)).toEqual(new Array(8).fill(1));
});

it("a slow server that is still at work on what was too much is given less after the pause", async () => {
  declaration = { ...posts, providers: [openai({ timeoutMs: 2_000 })] };
  let isBusy = false;
  provider.rule = ({ input }) => {
    if (input.length > 4) isBusy = true;
    return isBusy ? hang : undefined;
  };
  const ids = await insertPosts(8);
  await expect(work(ids)).rejects.toThrow(/timed out/);
  for (const { attempts, error } of await pending()) expect([attempts, error]).toEqual([0, null]);
  isBusy = false;
  await database.db.execute(sql`update aftercommit.models set paused_until = null`);
  await letTimeCome();
  expect(new Set((await work()).statuses.values())).toEqual(new Set(["embedded"]));
});

it("a request of which every text is refused is searched no further after 100 failures, and goes on after a pause", async () => {
  const ids = await insertPosts(200, (n) => `bad ${n}`);
  provider.rule = ({ input }) => (input.some((text) => text.includes("bad")) ? refuse("no") : undefined);
  await expect(work(ids)).rejects.toMatchObject({ status: 400 });
  expect(provider.requests.length).toBeLessThanOrEqual(102);
  const failed = (await pending()).filter(({ error }) => error !== null);
  expect(failed.length).toBeGreaterThan(40);
  for (const { attempts, error } of await pending()) expect(attempts).toBe(error === null ? 0 : 1);
  // What failed waits a minute, so the next lease finds others.
  await database.db.execute(sql`update aftercommit.models set paused_until = null;`);
  await database.db.execute(
    sql`update aftercommit.pending set next_attempt = clock_timestamp() where error is null`,
  );
  await expect(work()).rejects.toMatchObject({ status: 400 });
  expect((await pending()).filter(({ error }) => error !== null).length).toBeGreaterThan(80);
  await letTimeCome();
});
