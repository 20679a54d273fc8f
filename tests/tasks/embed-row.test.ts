import { describe, expect, it } from "vitest";
import { split } from "../../lib/embeddings/split.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { embeddingForTests, paragraphs } from "./embedding-posts.ts";

const { database, embedPost, callsOf, expectEmbedded } = embeddingForTests();
const { insertPost, updatePost, embeddingsOf } = database;

it("embeds a new post: one row with the vector of title and body", async () => {
  const post = { title: "The Future of AI", body: "It is bright." };
  const id = await insertPost(post);
  expect(await embedPost(id)).toEqual({
    status: "embedded",
    chunks: 1,
    tokens: expect.any(Number),
    model: FIRST_MODEL.name,
  });
  await expectEmbedded(id, post);
});

it("reports the tokens that the provider charged", async () => {
  const id = await insertPost({ title: "lorem", body: "ipsum dolor" });
  const { tokens } = await embedPost(id);
  expect(tokens).toBe(split("lorem\n\nipsum dolor")[0]?.tokens);
});

describe("a change that is delivered twice", () => {
  it("is unchanged the second time, and calls no provider", async () => {
    const id = await insertPost();
    await embedPost(id);
    const before = await embeddingsOf(id);
    const calls = await callsOf(async () => {
      expect(await embedPost(id)).toMatchObject({ status: "unchanged", chunks: 0, tokens: 0 });
    });
    expect(calls).toBe(0);
    expect(await embeddingsOf(id)).toEqual(before);
  });

  it("and runs ten times at once ends with one set of rows", async () => {
    const post = { title: "At once", body: paragraphs(5) };
    const id = await insertPost(post);
    const results = await Promise.all(Array.from({ length: 10 }, () => embedPost(id)));
    for (const { status } of results) expect(["embedded", "unchanged"]).toContain(status);
    await expectEmbedded(id, post);
  });
});

it("is unchanged after an update of the author, and calls no provider", async () => {
  const id = await insertPost();
  await embedPost(id);
  await updatePost(id, { author: "Bob" });
  const calls = await callsOf(async () => expect((await embedPost(id)).status).toBe("unchanged"));
  expect(calls).toBe(0);
});

it.each([{ title: "New title" }, { body: "New body" }])(
  "embeds again after an update of %j",
  async (change) => {
    const post = { title: "Title", body: "Body" };
    const id = await insertPost(post);
    await embedPost(id);
    await updatePost(id, change);
    expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 1 });
    await expectEmbedded(id, { ...post, ...change });
  },
);

describe("a long post", () => {
  it("has a row for each chunk, in order", async () => {
    const post = { title: "Long", body: paragraphs(5) };
    const id = await insertPost(post);
    expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 5 });
    await expectEmbedded(id, post);
  });

  it("that becomes short loses the rows that it no longer fills", async () => {
    const id = await insertPost({ title: "Long", body: paragraphs(5) });
    await embedPost(id);
    await updatePost(id, { body: "short" });
    expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 1 });
    await expectEmbedded(id, { title: "Long", body: "short" });
  });

  it("of 120 chunks is embedded in one request and written whole", async () => {
    const post = { title: "Book", body: paragraphs(120) };
    const id = await insertPost(post);
    const calls = await callsOf(async () => {
      expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 120 });
    });
    expect(calls).toBe(1);
    expect(await embeddingsOf(id)).toHaveLength(120);
  });
});
