import { randomUUID } from "node:crypto";
import { json } from "node:stream/consumers";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { answerWith, type Fault, hang, startFaultyServer } from "@/tests/helpers/faulty-server.ts";
import { idsOf, searchForTests } from "@/tests/helpers/searchable-posts.ts";
import { httpReranker } from "../providers/http-reranker.ts";
import { InvalidSearchError } from "./options.ts";
import { search } from "./search.ts";

type Asked = { query: string; documents: string[]; top_n: number; model?: string };

const { insertEmbedded, database, provider } = searchForTests();

// Long passages first, which is no order of the search.
const byLength = ({ documents }: Asked) =>
  documents
    .map((document, index) => ({ index, relevance_score: document.length / 1_000 }))
    .toSorted((a, b) => b.relevance_score - a.relevance_score);

const requests: { path: string | undefined; authorization: string | undefined; body: Asked }[] = [];
const answerResults =
  (resultsOf: (asked: Asked) => unknown): Fault =>
  async (request, response) => {
    const body = (await json(request)) as Asked;
    requests.push({ path: request.url, authorization: request.headers.authorization, body });
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(resultsOf(body)));
  };
const works = answerResults((asked) => ({ results: byLength(asked) }));

let fault: Fault = works;
let server: Awaited<ReturnType<typeof startFaultyServer>>;
beforeAll(async () => {
  server = await startFaultyServer((request, response) => fault(request, response));
});
afterAll(() => server.close());

beforeEach(async () => {
  fault = works;
  requests.length = 0;
  vi.stubEnv("RERANK_KEY", "secret");
  vi.spyOn(console, "error").mockImplementation(() => {});
  await database.db.execute(sql`truncate aftercommit.rate_limits`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const reranked = (options: Partial<Parameters<typeof httpReranker>[0]> = {}) => ({
  ...posts,
  reranker: httpReranker({ baseURL: server.url, model: "m", apiKeyVariable: "RERANK_KEY", ...options }),
});

/** A query that no test has asked before. */
const aQuery = () => `bread ${randomUUID()}`;

/** A short row that the search puts first, and a long one that the reranker does. */
async function insertTwo() {
  const short = await insertEmbedded({ body: "Bread." });
  const long = await insertEmbedded({ body: `Bread. ${"Other words. ".repeat(20)}` });
  return { short, long };
}

describe("a declared reranker", () => {
  it("puts the results in its order, with its scores", async () => {
    const { short, long } = await insertTwo();
    const asked = aQuery();
    expect(idsOf(await search(posts, { query: asked }))).toEqual([short, long]);
    const page = await search(reranked(), { query: `${asked} -zebra` });
    expect(idsOf(page)).toEqual([long, short]);
    expect(page).not.toHaveProperty("degraded");
    expect(page.results[0]?.score).toBeCloseTo((page.results[0]?.passage.length ?? 0) / 1_000);
    const documents = page.results.toReversed().map(({ passage }) => passage);
    expect(requests).toEqual([
      {
        path: "/rerank",
        authorization: "Bearer secret",
        body: { model: "m", query: asked, documents, top_n: 2 },
      },
    ]);
    const { rows } = await database.db.execute(
      sql`select calls, searched > 0 as searched from aftercommit.usage where model = 'post reranker'`,
    );
    expect(rows).toEqual([{ calls: 1, searched: true }]);
  });

  it("may be a function", async () => {
    const { short, long } = await insertTwo();
    const reranker = async (_: string, passages: readonly string[]) =>
      passages.map(({ length }) => (length > 50 ? 7 : -7));
    const page = await search({ ...posts, reranker }, { query: aQuery() });
    expect(page.results).toMatchObject([
      { id: long, score: 1 },
      { id: short, score: 0 },
    ]);
  });

  it("has pages, asks once for all of them, and ends after 50", async () => {
    for (let n = 0; n < 51; n += 1) await insertEmbedded({ body: `bread ${"other ".repeat(n)}` });
    const asked = aQuery();
    const found: string[] = [];
    for (let after: string | null = ""; after !== null; ) {
      const page = await search(reranked(), { query: asked, limit: 20, ...(after && { after }) });
      found.push(...idsOf(page));
      after = page.next;
    }
    const whole = await search(reranked(), { query: asked, limit: 50 });
    expect(found).toEqual(idsOf(whole));
    expect(new Set(found).size).toBe(50);
    expect(requests).toHaveLength(1);
    const next = (await search(reranked(), { query: asked, limit: 20 })).next ?? "";
    await expect(search(reranked(), { query: `${asked} else`, after: next })).rejects.toThrow(
      InvalidSearchError,
    );
  });

  it("is not asked in a search by words, nor when nothing is found", async () => {
    expect(idsOf(await search(reranked(), { query: aQuery() }))).toEqual([]);
    const { short, long } = await insertTwo();
    expect(idsOf(await search(reranked(), { query: aQuery(), mode: "words" }))).toEqual([short, long]);
    expect(requests).toEqual([]);
  });

  it("also orders what is found by words while the embedding provider is down", async () => {
    const { short, long } = await insertTwo();
    await provider.fail({ status: 500 });
    const page = await search(reranked(), { query: aQuery() });
    expect(idsOf(page)).toEqual([long, short]);
    expect(page.degraded).toContain("provider");
  });
});

describe("without a usable answer of the reranker, the results are in their order, and the page says so", () => {
  it.each<[string, Fault]>([
    ["that fails", answerWith(500, '{"message":"it failed"}')],
    ["that rejects the key", answerWith(401, '{"message":"no"}')],
    ["that answers no JSON", answerWith(200, "<html>")],
    ["that answers another form", answerWith(200, '{"scores":[1,2]}')],
    ["that closes the connection", (_, response) => void response.destroy()],
    ["with too few results", answerResults(() => ({ results: [{ index: 0, relevance_score: 1 }] }))],
    [
      "with an index twice",
      answerResults(() => ({
        results: [
          { index: 1, relevance_score: 1 },
          { index: 1, relevance_score: 0 },
        ],
      })),
    ],
    [
      "with indexes that do not exist",
      answerResults(({ documents }) => ({
        results: documents.map((_, index) => ({ index: index + 1, relevance_score: 1 })),
      })),
    ],
    [
      "without scores",
      answerResults(({ documents }) => ({ results: documents.map((_, index) => ({ index })) })),
    ],
  ])("%s", async (_, broken) => {
    const { short, long } = await insertTwo();
    fault = broken;
    const page = await search(reranked(), { query: aQuery() });
    expect(page).toMatchObject({ degraded: expect.stringContaining("reranker does not answer") });
    expect(idsOf(page)).toEqual([short, long]);
    expect(console.error).toHaveBeenCalledWith(expect.stringContaining('"event":"search.unavailable"'));
  });

  it("within the deadline of the search, when it hangs; then it is left alone for a while", async () => {
    const { short, long } = await insertTwo();
    fault = hang;
    const startedAt = Date.now();
    const page = await search(reranked(), { query: aQuery() });
    // The reranker's own timeout is a minute.
    expect(Date.now() - startedAt).toBeLessThan(30_000);
    expect(idsOf(page)).toEqual([short, long]);
    expect(page.degraded).toContain("reranker");
    fault = works;
    // The search answers while the pause is being recorded. It is prolonged, for slow machines.
    const prolonged = async () => {
      const { rows } = await database.db.execute(sql`
        update aftercommit.rate_limits set blocked_until = blocked_until + interval '1 hour'
        where name = 'post reranker' and blocked_until is not null returning name`);
      return rows;
    };
    await expect.poll(prolonged).toHaveLength(1);
    expect((await search(reranked(), { query: aQuery() })).degraded).toContain("reranker");
    expect(requests).toEqual([]);
  });

  it("when it asks to wait, for as long as it says and for all processes", async () => {
    await insertTwo();
    fault = answerWith(429, '{"message":"slow down"}', {
      "retry-after": "120",
      "content-type": "application/json",
    });
    expect((await search(reranked(), { query: aQuery() })).degraded).toContain("reranker");
    const { rows } = await database.db.execute<{ seconds: number }>(sql`select
      extract(epoch from blocked_until - clock_timestamp())::float8 as seconds from aftercommit.rate_limits
      where name = 'post reranker'`);
    expect(rows[0]?.seconds).toBeGreaterThan(100);
  });

  it("when its limits, or the tokens of the day, are used up", async () => {
    await insertTwo();
    const limited = reranked({ limits: { requestsPerMinute: 3 } });
    const pages = [];
    for (let n = 0; n < 3; n += 1) pages.push(await search(limited, { query: aQuery() }));
    expect(pages.map(({ degraded = "" }) => degraded.includes("reranker"))).toEqual([false, false, true]);
    vi.stubEnv("EMBEDDING_TOKENS_PER_DAY", "40");
    await database.db.execute(sql`truncate aftercommit.usage, aftercommit.rate_limits`);
    expect((await search(reranked(), { query: aQuery() })).degraded).toContain("EMBEDDING_TOKENS_PER_DAY");
    const { rows } = await database.db.execute(
      sql`select from aftercommit.rate_limits where name = 'post reranker'`,
    );
    expect(rows, "a request that the day does not allow takes nothing of the minute's").toEqual([]);
  });
});

describe("an HTTP reranker", () => {
  it.each([
    ["voyage", (asked: Asked) => ({ data: byLength(asked) }), ["documents", "top_k"]],
    [
      "text-embeddings-inference",
      ({ texts }: Asked & { texts?: string[] }) =>
        (texts ?? []).map((text, index) => ({ index, score: text.length / 1_000 })),
      ["texts"],
    ],
  ] as const)("speaks the form of %s", async (form, resultsOf, names) => {
    const { short, long } = await insertTwo();
    fault = answerResults(resultsOf);
    expect(idsOf(await search(reranked({ form }), { query: aQuery() }))).toEqual([long, short]);
    expect(Object.keys(requests[0]?.body ?? {})).toEqual(["model", "query", ...names]);
  });

  it("takes the name of the variable with its key, not the key", () => {
    expect(() => reranked({ apiKeyVariable: "sk-secret" })).toThrow(
      /apiKeyVariable: must be the name of an environment variable/,
    );
  });
});
