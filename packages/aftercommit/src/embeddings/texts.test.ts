import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { posts, users } from "@/aftercommit.config.ts";
import { embeddingForTests, MODEL, paragraphs } from "@/tests/helpers/embedding.ts";
import { defineEmbedding } from "../define.ts";
import { migrate } from "../migrate/migrate.ts";

const table = { row: "post", table: "public.posts", key: "id", embeddings: "public.post_embeddings" };

describe("a text of columns", () => {
  const { database, embedPost, inputs, expectEmbedded } = embeddingForTests();
  const { insertPost, updatePost, embeddingsOf } = database;

  it.each([
    ["is empty", { title: "", body: "" }],
    ["is white space of every kind", { title: " ", body: "\n\t\u00a0\u2003\u3000\ufeff" }],
  ])("that %s is marked as blank, without a request to the provider", async (_, post) => {
    const id = await insertPost(post);
    expect(await embedPost(id)).toEqual({ status: "embedded", chunks: 0, tokens: 0 });
    expect(await embeddingsOf(id)).toMatchObject([{ chunk: 0, chunks: 0, embedding: null }]);
    expect(await embedPost(id)).toMatchObject({ status: "unchanged" });
    expect(inputs()).toEqual([]);
  });

  it("that becomes blank loses its vectors, and gets them back with its next text", async () => {
    const id = await insertPost({ title: "Long", body: paragraphs(3) });
    await embedPost(id);
    await updatePost(id, { title: "", body: " " });
    await embedPost(id);
    expect(await embeddingsOf(id)).toMatchObject([{ chunks: 0, embedding: null }]);
    await updatePost(id, { body: "Back" });
    await embedPost(id);
    await expectEmbedded(id, { title: "", body: "Back" });
  });

  it.each([
    ["quotes and dollars", 'It\'s $1 "quoted" $$ $tag$', "E'\\n' '' ; --"],
    ["backslashes", "C:\\new\\table", "\\u0041 \\x41 \\"],
    ["percent and braces", "100 % {} %s", "{{x}} $ {y}"],
    ["line ends", "a\r\nb", "\r\n\n\r\t"],
    ["emoji and astral letters", "👩‍👩‍👧‍👦", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🀄"],
    ["composed and decomposed letters", "\u00e9 e\u0301", "ﬁ ½ Å"],
    ["right-to-left and zero-width characters", "שלום", "a\u200b\u200e\u2060b"],
    ["a byte order mark and control characters", "\ufeffx", "\u0001\u007f\u0085"],
    ["an empty title", "", "only a body"],
    ["an empty body", "only a title", ""],
  ])("with %s reaches the provider word for word, once", async (_, title, body) => {
    const id = await insertPost({ title, body });
    await embedPost(id);
    expect(inputs()).toEqual([`${title}\n\n${body}`]);
    expect(await embedPost(id)).toMatchObject({ status: "unchanged" });
    expect(inputs()).toHaveLength(1);
  });

  it("of several passages has the title before each, and the joined passages are the whole text", async () => {
    const post = { title: "Größe 😀", body: "äß漢😀 word ".repeat(3_000) };
    const id = await insertPost(post);
    await embedPost(id);
    await expectEmbedded(id, post);
    expect(inputs().length).toBeGreaterThan(5);
    for (const input of inputs()) {
      expect(input.startsWith("Größe 😀\n\n")).toBe(true);
      expect(input.isWellFormed()).toBe(true);
    }
    const { rows } = await database.db.execute<{ text: string }>(sql`
      select string_agg(substr(title || E'\n\n' || body, e.start + 1, e.length), '' order by e.chunk) as text
      from post_embeddings e join posts p on p.id = e.post_id where p.id = ${id}`);
    expect(rows[0]?.text).toBe(`${post.title}\n\n${post.body}`);
  });
});

describe("the passages of a long text", () => {
  const oneColumn = defineEmbedding({ ...table, text: ["body"] });
  let declaration = posts;
  const { database, embedPost, inputs } = embeddingForTests(() => declaration);
  const passagesWith = async (word: string) =>
    (await database.db.execute(sql`select from aftercommit.post_words where words @@ ${word}::tsquery`))
      .rowCount;

  it("of several columns carry the first 200 characters of the title, however long it is", async () => {
    const title = `${"😀 ".repeat(150)}zebra`;
    await embedPost(await database.insertPost({ title, body: paragraphs(4) }));
    expect(inputs().length).toBeGreaterThan(3);
    for (const input of inputs().slice(1)) {
      expect([...input.slice(0, input.indexOf("\n\n"))]).toHaveLength(199);
      expect(input.isWellFormed()).toBe(true);
    }
    expect(await passagesWith("zebra")).toBe(1);
  });

  it("of one column carry nothing of the others", async () => {
    declaration = oneColumn;
    await migrate({ url: process.env.DATABASE_URL ?? "", declarations: [oneColumn, users], model: MODEL });
    const body = `zebra ${paragraphs(4)}`;
    await embedPost(await database.insertPost({ body }));
    expect(inputs().length).toBeGreaterThan(3);
    expect(inputs().join("")).toBe(body);
    expect(await passagesWith("zebra")).toBe(1);
  });
});

describe("a row that the declaration's condition excludes", () => {
  const chosen = defineEmbedding({ ...table, text: ["title", "body"], where: "author <> 'Draft'" });
  const { database, embedPost, inputs } = embeddingForTests(() => chosen);
  const { insertPost, updatePost, embeddingsOf } = database;
  beforeAll(() =>
    migrate({ url: process.env.DATABASE_URL ?? "", declarations: [chosen, users], model: MODEL }),
  );

  it("is not embedded until it is included, and loses its vectors when it is excluded again", async () => {
    const id = await insertPost();
    await updatePost(id, { author: "Draft" });
    expect(await embedPost(id)).toMatchObject({ status: "deleted", tokens: 0 });
    await updatePost(id, { author: "Alice" });
    expect(await embedPost(id)).toMatchObject({ status: "embedded" });
    await updatePost(id, { author: "Draft" });
    expect(await embedPost(id)).toMatchObject({ status: "deleted" });
    expect(await embeddingsOf(id)).toEqual([]);
    expect(inputs()).toHaveLength(1);
  });
});

describe("a text of an expression", () => {
  const expression = defineEmbedding({ ...table, text: "nullif(upper(title || body), 'NOTHING')" });
  const { database, embedPost, inputs } = embeddingForTests(() => expression);
  const { insertPost, updatePost, embeddingsOf } = database;
  beforeAll(() =>
    migrate({ url: process.env.DATABASE_URL ?? "", declarations: [expression, users], model: MODEL }),
  );

  it("is the expression's result", async () => {
    await embedPost(await insertPost({ title: "a", body: "b" }));
    expect(inputs()).toEqual(["AB"]);
  });

  it("that is null is marked as blank, once", async () => {
    const id = await insertPost({ title: "no", body: "thing" });
    expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 0 });
    expect(await embeddingsOf(id)).toMatchObject([{ chunks: 0, embedding: null }]);
    expect(await embedPost(id)).toMatchObject({ status: "unchanged" });
    await updatePost(id, { author: "Bob" });
    expect(await embedPost(id)).toMatchObject({ status: "unchanged" });
  });
});

describe("a declaration whose passages become smaller", () => {
  const smaller = defineEmbedding({ ...table, text: ["title", "body"], chunkTokens: 100 });
  let declaration = posts;
  const { database, embedPost } = embeddingForTests(() => declaration);

  it("makes other vectors of the same text", async () => {
    const id = await database.insertPost({ body: paragraphs(1) });
    expect(await embedPost(id)).toMatchObject({ chunks: 1 });
    declaration = smaller;
    await migrate({ url: process.env.DATABASE_URL ?? "", declarations: [smaller, users], model: MODEL });
    expect((await embedPost(id)).chunks).toBeGreaterThan(5);
  });
});
