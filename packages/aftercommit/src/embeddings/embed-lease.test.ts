import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { embeddingForTests } from "@/tests/helpers/embedding.ts";
import { answerWith } from "@/tests/helpers/faulty-server.ts";
import { poisoned, refuse, vectorOf } from "@/tests/helpers/providers/strict-provider.ts";

const tests = embeddingForTests();
const { database, provider, insertPosts, change, work, pending, letTimeCome, embedPost } = tests;
const { updatePost, deletePost, embeddingsOf } = database;

const errors = async () => (await pending()).map(({ id, error }) => [id, error]);

/** Returns these vectors for every text. */
const answerVectors = (vector: (input: string) => number[]) => {
  provider.rule = ({ input }) =>
    answerWith(
      200,
      JSON.stringify({ data: input.map((text, index) => ({ index, embedding: vector(text) })) }),
    );
};

describe("the rows of a lease", () => {
  it("are embedded with one request, and the result of each is returned", async () => {
    const ids = await insertPosts(300);
    await work(ids.slice(0, 1));
    await deletePost(BigInt(ids[1] ?? ""));
    provider.requests = [];
    const { statuses, ...result } = await work(ids);
    expect(result).toMatchObject({ chunks: 298, tokens: 298, model: "text-embedding-3-small" });
    expect([statuses.get(ids[0] ?? ""), statuses.get(ids[1] ?? "")]).toEqual(["unchanged", "deleted"]);
    expect([...statuses.values()].filter((status) => status === "embedded")).toHaveLength(298);
    expect(provider.requests.map(({ input }) => input.length)).toEqual([298]);
    expect(await pending()).toEqual([]);
  });

  it("that change in the meantime are written, and are due again", async () => {
    const [changed = "", deleted = "", ...others] = await insertPosts(4);
    provider.rule = async () => {
      await updatePost(BigInt(changed), { body: "newer" });
      await deletePost(BigInt(deleted));
      await change([changed, deleted], "batch");
      return undefined;
    };
    await work([changed, deleted, ...others]);
    provider.rule = () => undefined;
    expect((await pending()).map(({ id, leased, attempts }) => [id, leased, attempts])).toEqual(
      [changed, deleted].map((id) => [id, false, 0]),
    );
    expect((await work()).statuses).toEqual(
      new Map([
        [changed, "embedded"],
        [deleted, "deleted"],
      ]),
    );
    expect(await embeddingsOf(BigInt(deleted))).toEqual([]);
  });

  it("whose lease another worker has now are not written, and the others are", async () => {
    const [overslept = "", other = ""] = await insertPosts(2);
    provider.rule = async () => {
      await database.db.execute(
        sql`update aftercommit.pending set lease = gen_random_uuid() where row_id = ${overslept}`,
      );
      return undefined;
    };
    expect((await work([overslept, other])).statuses).toEqual(new Map([[other, "embedded"]]));
    expect(await embeddingsOf(BigInt(overslept))).toEqual([]);
    expect(await pending()).toMatchObject([{ id: overslept, leased: true }]);
  });
});

it("reads no more than 8 MB of texts together, and releases the other rows", async () => {
  // Only white space, which costs nothing to split.
  const ids = await insertPosts(10, () => " ".repeat(2 ** 20));
  const first = await work(ids);
  expect(first.statuses.size).toBe(8);
  expect(await pending()).toMatchObject([
    { leased: false, attempts: 0 },
    { leased: false, attempts: 0 },
  ]);
  const second = await work();
  expect([...first.statuses.keys(), ...second.statuses.keys()].toSorted()).toEqual(ids.toSorted());
});

it("embeds a book of more than 1,000 passages with several requests, and writes it in parts", async () => {
  // These tests are not about the provider's limits.
  vi.stubEnv("EMBEDDING_TOKENS_PER_MINUTE", "1000000000");
  const [id = ""] = await insertPosts(1, () => "lorem ipsum dolor sit amet ".repeat(200_000));
  const { chunks, statuses } = await work([id]);
  vi.unstubAllEnvs();
  expect(chunks).toBeGreaterThan(1_000);
  expect(statuses.get(id)).toBe("embedded");
  expect(provider.requests.length).toBeGreaterThan(3);
  const { rows } = await database.db.execute(sql`
    select count(*)::int as count, max(chunk) + 1 as last, min(chunks) as chunks, count(embedding)::int as vectors
    from post_embeddings`);
  expect(rows).toEqual([{ count: chunks, last: chunks, chunks, vectors: chunks }]);
});

describe.each([{ named: true }, { named: false }])("a text that the provider rejects, %j", ({ named }) => {
  it("fails alone and with the provider's reason, and the others are embedded", async () => {
    const places = [3, 499, 777];
    const ids = await insertPosts(1_000, (n) => (places.includes(n) ? `poison ${n}` : `Body ${n}`));
    provider.rule = poisoned({ named });
    const { statuses, failures } = await work(ids);
    const failed = places.map((n) => ids[n] ?? "");
    expect(new Set(failures.keys())).toEqual(new Set(failed));
    expect([...statuses.values()].filter((status) => status === "embedded")).toHaveLength(997);
    expect(await errors()).toEqual(failed.map((id) => [id, expect.stringMatching(/input/)]));
    // If it is named, one more request per text; otherwise two per halving, and one to see whether a text is at fault.
    expect(provider.requests.length - 1).toBeLessThanOrEqual(named ? 3 : 64);
  });

  it("at the beginning and at the end leaves each vector with its own row", async () => {
    const ids = await insertPosts(5, (n) => (n === 0 || n === 4 ? `poison ${n}` : `Body ${n}`));
    provider.rule = poisoned({ named });
    await work(ids);
    for (const [n, id] of ids.entries()) {
      const [stored] = await embeddingsOf(BigInt(id));
      if (n === 0 || n === 4) expect(stored).toBeUndefined();
      else expect(stored?.embedding?.[0]).toBeCloseTo(vectorOf(`Post\n\nBody ${n}`)[0] ?? 0, 2);
    }
  });

  it("in one passage of several fails the row once, and none of it is written", async () => {
    const [id = ""] = await insertPosts(1, () => `${"lorem ipsum dolor ".repeat(2_000)} poison poison`);
    provider.rule = poisoned({ named });
    expect(await work([id])).toMatchObject({ chunks: 0, statuses: new Map([[id, "failed"]]) });
    expect(await embeddingsOf(BigInt(id))).toEqual([]);
    expect(await pending()).toMatchObject([{ id, attempts: 1 }]);
  });
});

it("sends no more requests for a book whose first request failed", async () => {
  vi.stubEnv("EMBEDDING_TOKENS_PER_MINUTE", "100000");
  const [id = ""] = await insertPosts(1, () => `poison ${"lorem ipsum dolor sit amet ".repeat(15_000)}`);
  provider.rule = poisoned({ named: true });
  await work([id]);
  vi.unstubAllEnvs();
  // The first request, three that show that the length is not at fault, and what is left without the named text. The
  // book fills two.
  expect(provider.requests).toHaveLength(5);
  expect(await pending()).toMatchObject([{ id, error: expect.any(String) }]);
});

describe("a vector that cannot be stored or compared", () => {
  it.each([
    ["of zeros", () => new Array(8).fill(0), "the provider answered a zero vector"],
    [
      "that half precision rounds to zeros",
      () => new Array(8).fill(2 ** -25),
      "the provider answered a zero vector",
    ],
    [
      "with a value over 65,504",
      () => [70_000, ...new Array(7).fill(1)],
      "the provider answered a value over 65504",
    ],
    ["with NaN", () => [Number.NaN, ...new Array(7).fill(1)], "the provider answered a vector with NaN"],
    [
      "of another width",
      () => new Array(7).fill(1),
      "text-embedding-3-small answered a vector of 7 numbers, and is registered with 8",
    ],
  ])("fails its row alone: one %s", async (_, bad, error) => {
    const ids = await insertPosts(3, (n) => (n === 1 ? "bad" : "fine"));
    answerVectors((text) => (text.includes("bad") ? bad() : vectorOf(text)));
    const { statuses } = await work(ids);
    expect([...statuses.values()].toSorted()).toEqual(["embedded", "embedded", "failed"]);
    expect(await errors()).toEqual([[ids[1], error]]);
  });
});

describe("a text that failed", () => {
  it("is tried less and less often, once a day in the end, and is not leased before", async () => {
    const [id = ""] = await insertPosts(1, () => "poison");
    provider.rule = poisoned({ named: true });
    await work([id]);
    expect((await work()).statuses.size).toBe(0);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 13; attempt += 1) {
      const [entry] = await pending();
      expect(entry?.attempts).toBe(attempt);
      waits.push(Math.round((entry?.seconds ?? 0) / 60));
      await letTimeCome();
      await work();
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_440, 1_440]);
  });

  it("is tried at its next change, with a new count", async () => {
    const [id = ""] = await insertPosts(1, () => "poison");
    provider.rule = poisoned({ named: true });
    await work([id]);
    await letTimeCome();
    await work();
    expect(await pending()).toMatchObject([{ attempts: 2 }]);
    await updatePost(BigInt(id), { body: "other poison" });
    await work([id]);
    expect(await pending()).toMatchObject([{ attempts: 1 }]);
    await updatePost(BigInt(id), { body: "healed" });
    expect((await work([id])).statuses.get(id)).toBe("embedded");
    expect(await pending()).toEqual([]);
  });

  it("is not recorded if a newer change has arrived", async () => {
    const [id = ""] = await insertPosts(1, () => "poison");
    const poison = poisoned({ named: true });
    provider.rule = async (...asked) => {
      await change([id], "batch");
      return poison(...asked);
    };
    await work([id]);
    expect(await pending()).toMatchObject([{ id, error: null, leased: false, attempts: 0 }]);
  });
});

it("a request that fails whatever its texts fails no row, and pauses the model", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const ids = await insertPosts(100);
  provider.rule = () => refuse("This model does not support dimensions.");
  await expect(work(ids)).rejects.toMatchObject({ status: 400 });
  expect(provider.requests).toHaveLength(2);
  for (const entry of await pending())
    expect(entry).toMatchObject({ error: null, attempts: 0, leased: false });
  expect(warned.mock.calls.flat().join()).toContain("model.paused");
  warned.mockRestore();
  await database.db.execute(sql`update aftercommit.models set paused_until = null`);
  provider.rule = () => undefined;
  await letTimeCome();
  for (const id of ids.slice(0, 2)) expect(await embedPost(id)).toMatchObject({ status: "embedded" });
});
