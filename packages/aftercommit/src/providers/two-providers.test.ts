import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { embeddingForTests } from "@/tests/helpers/embedding.ts";
import { answerWith } from "@/tests/helpers/faulty-server.ts";
import { startFormServer } from "@/tests/helpers/providers/form-server.ts";
import { FORMS } from "@/tests/helpers/providers/forms.ts";
import { beginModel, completeModel, enqueueRows, switchModel } from "../reembed/change-model.ts";
import { search } from "../search/search.ts";
import { SearchUnavailableError } from "../search/unavailable.ts";
import { ollama } from "./ollama.ts";
import { openai } from "./openai.ts";

let other: Awaited<ReturnType<typeof startFormServer>>;
let declaration = posts;
const tests = embeddingForTests(() => declaration);
const { database, provider, source, work, insertPosts, pending } = tests;

beforeAll(async () => {
  other = await startFormServer(FORMS.ollama ?? expect.fail());
  declaration = { ...posts, providers: [openai(), ollama({ baseURL: other.url })] };
});
afterAll(() => other.close());
beforeEach(() => {
  for (const level of ["warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
  other.state.requests = [];
});
afterEach(() => void vi.restoreAllMocks());

const wanted = { provider: "ollama", name: "nomic-embed-text", dimensions: undefined };

describe("a change to a model of another provider", () => {
  it("asks each model at its own provider, finds out how wide the new one is, and search follows the switch", async () => {
    const ids = await insertPosts(3);
    await work(ids);
    const change = (await beginModel(database.db, [await source()], wanted)) ?? expect.fail();
    expect(change.to).toMatchObject({ provider: "ollama", dimensions: 8, dimensionsAsked: false });
    await enqueueRows(database.db, await source(), change);
    provider.requests = [];
    other.state.requests = [];
    await work();
    expect(provider.requests).toEqual([]);
    expect(other.state.requests.flat()).toHaveLength(3);
    await completeModel(database.db, change.to);
    await switchModel(database.db, [await source()], change);
    const found = await search(declaration, { mode: "meaning", query: "Post\n\nBody 1", limit: 1 });
    expect(found.results).toMatchObject([{ id: ids[1] }]);
    expect(provider.requests).toEqual([]);
  });

  it("is not begun where the provider is not declared", async () => {
    await expect(
      beginModel(database.db, [await source()], { ...wanted, provider: "voyage" }),
    ).rejects.toThrow(
      /the provider voyage.*row: "post".*has openai, ollama only: add voyage to its providers/,
    );
  });

  it("while the same model is built at the same width goes on with it", async () => {
    const begun = await beginModel(database.db, [await source()], wanted);
    expect((await beginModel(database.db, [await source()], wanted))?.to.id).toBe(begun?.to.id);
  });
});

it("a model whose provider is not declared any more is paused, says so, and costs no row an attempt", async () => {
  const ids = await insertPosts(2);
  await database.db.execute(sql`update aftercommit.models set provider = 'voyage'`);
  try {
    await expect(work(ids)).rejects.toThrow(/add voyage to its providers/);
    for (const entry of await pending()) expect(entry).toMatchObject({ attempts: 0, error: null });
    const { rows } = await database.db.execute<{ reason: string }>(
      sql`select pause_reason as reason from aftercommit.models`,
    );
    expect(rows[0]?.reason).toContain("add voyage to its providers");
    await expect(search(declaration, { mode: "meaning", query: "which", limit: 1 })).rejects.toThrow(
      /add voyage to its providers/,
    );
  } finally {
    await database.db.execute(sql`update aftercommit.models set provider = 'openai', paused_until = null`);
  }
});

it.each([
  ["of zeros", new Array(8).fill(0)],
  ["that half precision rounds to zeros", new Array(8).fill(1e-9)],
  ["with NaN", [null, ...new Array(7).fill(1)]],
  ["of another width", [1, 1]],
])("a search whose vector is %s fails, and answers no score of null", async (name, embedding) => {
  const ids = await insertPosts(1);
  await work(ids);
  provider.rule = () => answerWith(200, JSON.stringify({ data: [{ index: 0, embedding }] }));
  const found = search(declaration, { mode: "meaning", query: `a question ${name}`, limit: 1 });
  await expect(found).rejects.toThrow(SearchUnavailableError);
});

it("a provider's prefixes are put before passages and queries", async () => {
  const prefixes = { passage: "passage: ", query: "query: " };
  declaration = { ...posts, providers: [openai({ prefixes })] };
  const ids = await insertPosts(1);
  await work(ids);
  await search(declaration, { mode: "meaning", query: "a prefixed question", limit: 1 });
  expect(provider.requests.flatMap(({ input }) => input)).toEqual([
    "passage: Post\n\nBody 0",
    "query: a prefixed question",
  ]);
});
