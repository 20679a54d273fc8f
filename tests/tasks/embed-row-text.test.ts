import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { EmbedTexts } from "../../lib/embeddings/provider.ts";
import { embeddingForTests, textOf } from "./embedding-posts.ts";

const { database, embedPost, callsOf } = embeddingForTests();
const { insertPost, updatePost, embeddingsOf } = database;

describe("a post without text", () => {
  it.each([
    { title: "", body: "" },
    { title: " ", body: "\n\t\u00a0\u3000" },
  ])("%j has no embedding, calls no provider, and is no error", async (post) => {
    const id = await insertPost(post);
    const calls = await callsOf(async () => expect((await embedPost(id)).status).toBe("unchanged"));
    expect(calls).toBe(0);
    expect(await embeddingsOf(id)).toEqual([]);
  });

  it("that had one loses its embedding", async () => {
    const id = await insertPost();
    await embedPost(id);
    await updatePost(id, { title: "", body: "" });
    const calls = await callsOf(async () => {
      expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 0, tokens: 0 });
    });
    expect(calls).toBe(0);
    expect(await embeddingsOf(id)).toEqual([]);
    expect((await embedPost(id)).status).toBe("unchanged");
  });
});

describe("when a change was committed", () => {
  it("is kept with the vectors that answer it, and nothing where nobody knows", async () => {
    const id = await insertPost();
    await embedPost(id, {}, "2026-11-21T21:12:08.735Z");
    expect((await embeddingsOf(id))[0]?.changedAt).toEqual(new Date("2026-11-21T21:12:08.735Z"));
    await updatePost(id, { body: "Another" });
    await embedPost(id);
    expect((await embeddingsOf(id))[0]?.changedAt).toBeNull();
  });
});

describe("a text is embedded word for word, and once", () => {
  it.each([
    ["quotes and dollars", 'It\'s $1 "quoted" $$ $tag$', "E'\\n' '' ; --"],
    ["backslashes", "C:\\new\\table", "\\u0041 \\x41 \\"],
    ["percent and braces", "100 % {} %s", "{{x}} $ {y}"],
    ["line ends", "a\r\nb", "\r\n\n\r\t"],
    ["emoji and astral letters", "👩‍👩‍👧‍👦", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🀄"],
    ["composed and decomposed letters", "\u00e9 e\u0301", "ﬁ ½ Å"],
    ["right-to-left and zero-width", "שלום", "a\u200b\u200e\u2060b"],
    ["a byte order mark and controls", "\ufeffx", "\u0001\u007f\u0085"],
    ["an empty title", "", "only a body"],
    ["an empty body", "only a title", ""],
    ["300 kB", "big", "äß漢😀 word ".repeat(20_000)],
  ])("with %s", async (_, title, body) => {
    const id = await insertPost({ title, body });
    const texts: string[] = [];
    const embed: EmbedTexts = async (_, inputs) => {
      texts.push(...inputs);
      return { vectors: inputs.map(() => new Float32Array(1_536).fill(1)), tokens: 0, left: {} };
    };
    expect((await embedPost(id, { embed })).status).toBe("embedded");
    expect(texts.join("")).toBe(textOf({ title, body }));
    expect((await embedPost(id, { embed })).status).toBe("unchanged");
    const { rows } = await database.db.execute<{ text: string }>(
      sql`select string_agg(substr(post_text(p), e.start + 1, e.length), '' order by e.chunk) as text
        from post_embeddings e join posts p on p.id = e.post_id where p.id = ${id}`,
    );
    expect(rows[0]?.text).toBe(texts.join(""));
  });
});
