import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { embeddingForTests, MODEL } from "@/tests/helpers/embedding.ts";
import { answerWith } from "@/tests/helpers/faulty-server.ts";
import { limitRate } from "@/tests/helpers/providers/strict-provider.ts";
import { EmbeddingShapeError } from "../declare/provider.ts";
import { EnvironmentError } from "../env/env.ts";
import { PausedError, RateLimitedError } from "../providers/errors.ts";

const NEW = "text-embedding-3-large";
const tests = embeddingForTests();
const { database, provider, change, work, pending, embedPost, insertPosts, letTimeCome } = tests;

beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

type Model = { name: string; reason: string | null; seconds: number | null };

/** The models, with how long each is paused and why. */
async function models(): Promise<Model[]> {
  const { rows } = await database.db.execute<Model>(sql`
    select name, pause_reason as reason, extract(epoch from paused_until - clock_timestamp())::float8 as seconds
    from aftercommit.models order by id`);
  return rows;
}

const endPause = () =>
  database.db.execute(sql`update aftercommit.models set paused_until = null, pause_reason = null`);

const failure = (status: number, headers = {}) =>
  answerWith(status, '{"error":{"message":"It failed"}}', { "content-type": "application/json", ...headers });

describe("a failure that has nothing to do with the text", () => {
  it.each([
    ["a wrong key", failure(401), 15],
    ["a model that is not known", failure(404), 15],
    ["an error of the server", failure(500), 5],
    ["an overload that says for how long", failure(503, { "retry-after": "30" }), 30],
    ["a wait of a day", failure(503, { "retry-after": "86400" }), 300],
    ["an answer that is none", answerWith(200, "{}"), 5],
    ["an error in an answer of 200", answerWith(200, '{"error":{"message":"It failed","code":502}}'), 5],
  ])("pauses the model for every process, and costs no row an attempt: %s", async (_, fault, seconds) => {
    const [id = "", other = ""] = await insertPosts(2);
    await change([id, other]);
    provider.rule = () => fault;
    await expect(embedPost(id)).rejects.toThrow();
    const [paused] = await models();
    expect(paused?.reason).toMatch(/It failed|an unexpected answer/);
    expect(paused?.seconds).toBeGreaterThan(seconds - 5);
    expect(paused?.seconds).toBeLessThanOrEqual(seconds);
    expect(await pending()).toMatchObject([
      { id, queue: "realtime", leased: false, attempts: 0, error: null },
      { id: other },
    ]);
    const requests = provider.requests.length;
    await expect(embedPost(other)).rejects.toThrow(PausedError);
    expect(provider.requests).toHaveLength(requests);
    // The row's own text, and a known good text if a text may be at fault.
    expect(requests).toBe(seconds === 5 ? 2 : 1);
  });

  it.each([
    ["a provider that does not answer", "OPENAI_BASE_URL", "http://127.0.0.1:1/v1", Error],
    ["a key that is not set", "OPENAI_API_KEY", "", EnvironmentError],
  ])("pauses the model as well: %s", async (_, name, value, type) => {
    const [id = ""] = await insertPosts(1);
    vi.stubEnv(name, value);
    await expect(embedPost(id)).rejects.toThrow(type);
    expect((await models())[0]?.seconds).toBeGreaterThan(0);
    expect(await pending()).toMatchObject([{ attempts: 0, error: null }]);
  });

  it("is over when the pause is, and the row is embedded", async () => {
    const [id = ""] = await insertPosts(1);
    provider.rule = () => answerWith(200, "{}");
    await expect(embedPost(id)).rejects.toThrow(EmbeddingShapeError);
    provider.rule = () => undefined;
    await endPause();
    await letTimeCome();
    expect(await embedPost(id)).toMatchObject({ status: "embedded" });
    expect(await pending()).toEqual([]);
  });

  it("in the middle of a lease keeps what was written, and leaves the other rows due when the pause is over", async () => {
    vi.stubEnv("EMBEDDING_TOKENS_PER_MINUTE", "100000");
    const ids = await insertPosts(3, () => "lorem ipsum dolor sit amet ".repeat(7_000));
    let requests = 0;
    provider.rule = () => {
      requests += 1;
      return requests > 1 ? failure(500) : undefined;
    };
    await expect(work(ids)).rejects.toMatchObject({ status: 500 });
    const left = await pending();
    expect(left.map(({ id }) => id)).not.toContain(ids[0]);
    expect(left.length).toBeGreaterThan(0);
    for (const entry of left) expect(entry).toMatchObject({ leased: false, attempts: 0, error: null });
  });
});

describe("a rate limit that lasts longer than a run should sleep", () => {
  it("ends the run with the time of its retry, and is recorded for every process", async () => {
    const [id = "", other = ""] = await insertPosts(2);
    provider.rule = () => limitRate({ "retry-after": "60" });
    const before = Date.now();
    const error = await embedPost(id).catch((error: unknown) => error);
    if (!(error instanceof RateLimitedError)) throw error;
    expect(error.retryAt).toBeGreaterThanOrEqual(before + 59_000);
    expect(error.retryAt).toBeLessThanOrEqual(Date.now() + 60_000);
    await expect(embedPost(other)).rejects.toThrow(RateLimitedError);
    expect(provider.requests).toHaveLength(1);
    expect((await models())[0]).toMatchObject({ seconds: null });
    for (const entry of await pending()) {
      expect(entry).toMatchObject({ leased: false, attempts: 0, error: null });
      expect(entry.seconds).toBeGreaterThan(50);
    }
  });
});

describe("while a model is being built", () => {
  beforeEach(() =>
    database.db.execute(sql`insert into aftercommit.models (name, dimensions, chunker, state, index_type, completed_at)
      values (${NEW}, ${MODEL.dimensions}, ${MODEL.chunker}, 'building', 'halfvec', now())`),
  );

  it.each([
    ["the new", NEW, MODEL.name],
    ["the active", MODEL.name, NEW],
  ])("%s one that fails does not keep the other from being written", async (_, down, works) => {
    const [id = ""] = await insertPosts(1);
    provider.rule = ({ model }) => (model === down ? failure(500) : undefined);
    await work([id]);
    const paused = (await models()).filter(({ seconds }) => seconds !== null).map(({ name }) => name);
    expect(paused).toEqual([down]);
    const { rows } = await database.db.execute(sql`
      select m.name from post_embeddings e join aftercommit.models m on m.id = e.model_id`);
    expect(rows).toEqual([{ name: works }]);
    expect(await pending()).toMatchObject([{ id, queue: "batch", attempts: 0, error: null }]);
    await endPause();
    await letTimeCome();
    provider.rule = () => undefined;
    await work();
    expect(await database.embeddingsOf(BigInt(id))).toHaveLength(2);
    expect(await pending()).toEqual([]);
  });
});
