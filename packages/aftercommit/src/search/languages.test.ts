import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { posts as postsTable } from "@/drizzle/schema.ts";
import { idsOf, searchForTests } from "@/tests/helpers/searchable-posts.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { drain } from "../embeddings/drain.ts";
import { embedOne } from "../embeddings/embed-one.ts";
import { reconcile } from "../embeddings/reconcile.ts";
import { sourceOf } from "../source.ts";
import { search } from "./search.ts";

const { insertEmbedded, declare, database, provider } = searchForTests();

const finder = (declaration: EmbeddingDeclaration) => async (query: string) =>
  idsOf(await search(declaration, { query, mode: "words" }));

const markedIn = async (declaration: EmbeddingDeclaration, query: string) => {
  const [result] = (await search(declaration, { query, mode: "words" })).results;
  return result?.highlight;
};

describe("a table whose rows are in one language", () => {
  it.each([
    ["english", "The runners were running", "run"],
    ["english", "A generous knight", "generously"],
    ["german", "Die alten Häuser", "Haus"],
    ["german", "Er kaufte die Bücher", "büchern"],
    ["spanish", "Una organización nueva", "organizar"],
    ["spanish", "Una organización nueva", "organizacion"],
    ["spanish", "Una organizacion nueva", "organización"],
    ["french", "Les développements récents", "developpement"],
    ["russian", "Русские книги", "книга"],
    ["english", "我喜欢搜索引擎", "搜索"],
    ["english", "To be or not to be", '"or not to be"'],
  ])("finds other forms of a word (%s: %s, %s)", async (language, body, query) => {
    const declaration = { ...posts, language };
    await declare(declaration);
    await insertEmbedded({ body: "xyz" }, declaration);
    const id = await insertEmbedded({ body }, declaration);
    expect(await finder(declaration)(query)).toEqual([id]);
    expect(await markedIn(declaration, query)).toContain("<mark>");
  });

  it("has its words written again by a full reconciliation when another language is declared", async () => {
    await declare(posts);
    const id = await insertEmbedded({ body: "Die alten Häuser" });
    const german = { ...posts, language: "german" };
    await declare(german);
    expect(await finder(german)("Alter")).toEqual([]);
    const { calls } = await provider.stats();
    await reconcile(database.db, await sourceOf(database.db, german), { full: true });
    await drain(german, {
      db: database.db,
      runId: "run_1",
      waitUntil: () => Promise.reject(new Error("waits")),
    });
    expect(await finder(german)("Alter")).toEqual([id]);
    expect((await provider.stats()).calls).toBe(calls);
  });
});

describe("a compound", () => {
  const COMPOUNDS = "Die Krankenversicherungskarte der Donaudampfschifffahrtsgesellschaft.";

  it.each([
    [undefined, "Krankenversicherung"],
    [undefined, "Versicherungskarte"],
    [undefined, "Gesellschaft"],
    [undefined, "Karte"],
    ["german", "Krankenversicherung"],
    ["german", "Krankenversicherungen"],
    ["german", "Versicherungskarten"],
    ["german", "Karten"],
    ["german", "Schifffahrtsgesellschaft"],
  ])("is found by its first and by its last words (%s, %s)", async (language, query) => {
    const declaration = { ...posts, language };
    await declare(declaration);
    await insertEmbedded({ body: "Etwas anderes." }, declaration);
    const id = await insertEmbedded({ body: COMPOUNDS }, declaration);
    expect(await finder(declaration)(query)).toEqual([id]);
    expect(await markedIn(declaration, query)).toMatch(/<mark>(Kranken|Donau)\w+<\/mark>/);
  });

  it("comes after the rows that have the word itself, and is left out where there are many", async () => {
    await declare(posts);
    const compound = await insertEmbedded({ body: COMPOUNDS });
    const exact = await insertEmbedded({ body: "Die Karte." });
    expect(await finder(posts)("Karte")).toEqual([exact, compound]);
    for (let n = 0; n < 10; n += 1) await insertEmbedded({ body: "Eine Karte." });
    const page = await search(posts, { query: "Karte", mode: "words", limit: 50 });
    expect(idsOf(page)).not.toContain(compound);
    expect(page.results).toHaveLength(11);
  });

  it("is not looked for in a language that writes words apart", async () => {
    const english = { ...posts, language: "english" };
    await declare(english);
    await insertEmbedded({ body: "A comfortable chair." }, english);
    expect(await finder(english)("table")).toEqual([]);
  });
});

describe("a table whose rows name their language", () => {
  // The sample table has no column of languages.
  const mixed = {
    ...posts,
    language: { column: "author", configurations: { en: "english", de: "german" } },
  };
  const found = finder(mixed);

  it("finds each row by the forms of its language, and those of another language by their exact words", async () => {
    await declare(mixed);
    const english = await insertEmbedded({ author: "en", body: "He was running home." }, mixed);
    const german = await insertEmbedded({ author: "de", body: "Die Häuser in Berlin." }, mixed);
    const other = await insertEmbedded({ author: "fi", body: "Talot running." }, mixed);
    expect(await found("runs")).toEqual([english]);
    expect((await found("running")).toSorted()).toEqual([english, other].toSorted());
    expect(await found("Haus")).toEqual([german]);
    expect(await found('"in berlin"')).toEqual([german]);
    expect(await found("home -runs")).toEqual([]);
    expect(await found("talot -runs")).toEqual([other]);
    expect(await markedIn(mixed, "Haus")).toContain("<mark>Häuser</mark>");
    expect(await markedIn(mixed, "talot")).toContain("<mark>Talot</mark>");
  });

  it("scores a row by the words of its language, whatever other languages there are", async () => {
    await declare(mixed);
    await insertEmbedded({ author: "en", body: "Bread." }, mixed);
    const scoreOf = async (declaration: EmbeddingDeclaration) =>
      (await search(declaration, { query: "bread", mode: "words" })).results[0]?.score;
    const score = await scoreOf(mixed);
    const english = { ...posts, language: "english" };
    await declare(english);
    await database.db.delete(postsTable);
    await insertEmbedded({ body: "Bread." }, english);
    expect(score).toBeCloseTo((await scoreOf(english)) ?? 0);
  });

  it("has the words of a row written again when only its language changes, without the provider", async () => {
    await declare(mixed);
    const id = await insertEmbedded({ author: "fi", body: "He was running home." }, mixed);
    expect(await found("runs")).toEqual([]);
    await database.db
      .update(postsTable)
      .set({ author: "en" })
      .where(eq(postsTable.id, BigInt(id)));
    const { calls } = await provider.stats();
    await embedOne(mixed, id, { db: database.db });
    expect(await found("runs")).toEqual([id]);
    expect((await provider.stats()).calls).toBe(calls);
  });
});
