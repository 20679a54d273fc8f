import { describe, expect, it } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { idsOf, searchForTests } from "@/tests/helpers/searchable-posts.ts";
import { embedOne } from "../embeddings/embed-one.ts";
import { search } from "./search.ts";

const { insertEmbedded, insert, database, provider, ask } = searchForTests();

const found = async (query: string) => idsOf(await search(posts, { query, mode: "words" }));

describe("a search by words", () => {
  it("finds the rows that have any of them, those with rarer and with more of them first", async () => {
    const both = await insertEmbedded({ body: "A common zebra." });
    const rare = await insertEmbedded({ body: "A zebra." });
    const common = await Promise.all([1, 2, 3].map(() => insert({ body: "Some common words." })));
    for (const id of common) await embedOne(posts, id, { db: database.db });
    const ids = await found("common zebra");
    expect(ids.slice(0, 2)).toEqual([both, rare]);
    expect(ids.slice(2).toSorted()).toEqual(common.toSorted());
    expect(await found("nothing of it")).toEqual([]);
    expect(await found("!?")).toEqual([]);
  });

  it("puts a word in the title before one in the body, and a short passage before a long one", async () => {
    const long = await insertEmbedded({ body: `zebra ${"other words ".repeat(50)}` });
    const body = await insertEmbedded({ title: "Animals", body: "The zebra." });
    const title = await insertEmbedded({ title: "Zebras", body: "An animal." });
    expect(await found("zebra")).toEqual([title, body, long]);
  });

  it("takes phrases, excluded words and prefixes", async () => {
    const puppy = await insertEmbedded({ body: "Training a young dog." });
    const cat = await insertEmbedded({ body: "A dog trains a young cat." });
    expect(await found('"young dog"')).toEqual([puppy]);
    expect(await found("dog -cat")).toEqual([puppy]);
    expect(await found('young -"young cat"')).toEqual([puppy]);
    expect((await found("trai*")).toSorted()).toEqual([puppy, cat].toSorted());
    expect(await found("trai")).toEqual([]);
    expect(await ask("q=-dog")).toEqual({ status: 400, body: { error: "query: has only words to exclude" } });
  });

  it.each([
    ["a German compound", "Donaudampfschifffahrt", "donaudampfschifffahrt"],
    ["ß as ss", "Die Straße", "STRASSE"],
    ["Spanish without accents", "Una canción", "cancion"],
    ["with accents what has none", "Una cancion", "canción"],
    ["NFC by NFD", "caf\u00e9", "cafe\u0301"],
    ["NFD by NFC", "cafe\u0301", "caf\u00e9"],
    ["Arabic without vowels", "مَدْرَسَة", "مدرسة"],
    ["Arabic by another alef", "أحمد", "احمد"],
    ["Chinese", "我喜欢搜索引擎", "搜索"],
    ["a single Chinese character", "我喜欢搜索引擎", "擎"],
    ["Japanese", "検索エンジンを使う", "エンジン"],
    ["Korean with an ending", "한국어를 배운다", "한국어"],
    ["an emoji", "We celebrate 🎉 today", "🎉"],
    ["a plural", "Two boxes of puppies", "box puppy"],
  ])("finds %s", async (_, body, query) => {
    await insertEmbedded({ body: "other text" });
    const id = await insertEmbedded({ body });
    expect(await found(query)).toEqual([id]);
  });

  it("does not call the provider", async () => {
    const id = await insertEmbedded({ body: "zebra" });
    const { calls } = await provider.stats();
    expect(await found("zebra")).toEqual([id]);
    expect((await provider.stats()).calls).toBe(calls);
  });

  it("answers an excerpt as escaped HTML with the words marked", async () => {
    await insertEmbedded({
      title: "<script>",
      body: `${"Filler words here. ".repeat(60)}A dog & two <b>dogs</b> bark.${" More filler.".repeat(60)}`,
    });
    const [result] = (await search(posts, { query: "dog", mode: "words" })).results;
    expect(result?.highlight).toContain(
      "A <mark>dog</mark> &amp; two &lt;b&gt;<mark>dogs</mark>&lt;/b&gt; bark.",
    );
    expect(result?.highlight.length).toBeLessThan(450);
    expect(result?.passage).toContain("<b>dogs</b>");
  });

  it("never shows a row that is deleted, though its words are there", async () => {
    const id = await insertEmbedded({ body: "zebra" });
    await database.deletePost(BigInt(id));
    expect(await found("zebra")).toEqual([]);
  });
});
