import { describe, expect, it } from "vitest";
import { embedTexts } from "../../lib/embeddings/provider.ts";
import { embeddingForTests, meanwhile } from "./embedding-posts.ts";

const { database, embedPost, callsOf, expectEmbedded } = embeddingForTests();
const { insertPost, updatePost, deletePost, embeddingsOf } = database;

it("ends at the row's present text when changes arrive out of order", async () => {
  const id = await insertPost({ title: "Order", body: "first" });
  await updatePost(id, { body: "second" });
  await updatePost(id, { body: "third" });
  const [newest, oldest] = [await embedPost(id), await embedPost(id)];
  expect([newest.status, oldest.status]).toEqual(["embedded", "unchanged"]);
  await expectEmbedded(id, { title: "Order", body: "third" });
});

describe("a row that changes while its embedding is being made", () => {
  it("keeps nothing of the older result, and the newer run writes", async () => {
    const id = await insertPost({ title: "Race", body: "old" });
    const result = await embedPost(id, {
      embed: meanwhile(async () => {
        await updatePost(id, { body: "new" });
      }),
    });
    expect(result).toMatchObject({ status: "superseded", chunks: 0 });
    expect(await embeddingsOf(id)).toEqual([]);
    expect(await embedPost(id)).toMatchObject({ status: "embedded" });
    await expectEmbedded(id, { title: "Race", body: "new" });
  });

  it("is not overwritten by a slow older run that ends after the newer one", async () => {
    const id = await insertPost({ title: "Race", body: "old" });
    const slow = await embedPost(id, {
      embed: async (...asked) => {
        const older = await embedTexts(...asked);
        await updatePost(id, { body: "new" });
        expect(await embedPost(id)).toMatchObject({ status: "embedded" });
        return older;
      },
    });
    expect(slow.status).toBe("superseded");
    await expectEmbedded(id, { title: "Race", body: "new" });
  });

  it("and back again is written, for the text is the same", async () => {
    const id = await insertPost({ title: "Race", body: "old" });
    const result = await embedPost(id, {
      embed: meanwhile(async () => {
        await updatePost(id, { body: "new" });
        await updatePost(id, { body: "old" });
      }),
    });
    expect(result.status).toBe("embedded");
    await expectEmbedded(id, { title: "Race", body: "old" });
  });

  it("in its author only is written", async () => {
    const id = await insertPost({ title: "Race", body: "same" });
    const result = await embedPost(id, {
      embed: meanwhile(async () => {
        await updatePost(id, { author: "Bob" });
      }),
    });
    expect(result.status).toBe("embedded");
  });
});

describe("a row that is gone", () => {
  it("when the run starts has no embedding, and no provider is called", async () => {
    const calls = await callsOf(async () => {
      expect(await embedPost(9_223_372_036_854_775_807n)).toMatchObject({
        status: "gone",
        chunks: 0,
        tokens: 0,
      });
    });
    expect(calls).toBe(0);
  });

  it("when the run ends has no embedding", async () => {
    const id = await insertPost();
    const result = await embedPost(id, {
      embed: meanwhile(async () => {
        await deletePost(id);
      }),
    });
    expect(result.status).toBe("gone");
    expect(await embeddingsOf(id)).toEqual([]);
  });

  it("takes its embeddings with it", async () => {
    const id = await insertPost();
    await embedPost(id);
    await deletePost(id);
    expect(await embeddingsOf(id)).toEqual([]);
  });
});
