import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { embeddingForTests, paragraphs } from "@/tests/helpers/embedding.ts";
import { poisoned } from "@/tests/helpers/providers/strict-provider.ts";
import { leaseRow } from "../inbox/lease.ts";
import { ModelError } from "../models/models.ts";
import { FailedTextError } from "../providers/errors.ts";
import { SourceError } from "../source.ts";
import { embedOne } from "./embed-one.ts";

const tests = embeddingForTests();
const { database, provider, change, embedPost, pending, inputs, expectEmbedded } = tests;
const { insertPost, updatePost, deletePost, embeddingsOf } = database;

/** Runs `work` once, while the provider works. */
function meanwhile(work: () => Promise<unknown>): void {
  let happened = false;
  provider.rule = async () => {
    if (happened) return undefined;
    happened = true;
    await work();
    return undefined;
  };
}

const newText = (id: bigint, body: string) => async () => {
  await updatePost(id, { body });
  await change([id]);
};

it("embeds a new post, and nothing of it is left in the inbox", async () => {
  const post = { title: "The Future of AI", body: "It is bright." };
  const id = await insertPost(post);
  await change([id]);
  expect(await embedPost(id)).toEqual({ status: "embedded", chunks: 1, tokens: 1 });
  await expectEmbedded(id, post);
  expect(await pending()).toEqual([]);
});

it("puts a row without an entry into the inbox first, for a run that is started by hand", async () => {
  const post = { title: "By hand", body: "Nobody told" };
  const id = await insertPost(post);
  await embedOne(posts, String(id), { db: database.db });
  await expectEmbedded(id, post);
});

describe("a change that is delivered again", () => {
  it("sends the provider no request, and leaves the vectors as they are", async () => {
    const id = await insertPost();
    await embedPost(id);
    const before = await embeddingsOf(id);
    await change([id]);
    expect(await embedPost(id)).toEqual({ status: "unchanged", chunks: 0, tokens: 0 });
    expect(await embeddingsOf(id)).toEqual(before);
    expect(inputs()).toHaveLength(1);
  });

  it("and is run ten times in parallel is paid for once", async () => {
    const post = { title: "In parallel", body: paragraphs(5) };
    const id = await insertPost(post);
    await change([id]);
    await Promise.all(Array.from({ length: 10 }, () => embedPost(id)));
    expect(inputs()).toHaveLength(5);
    await expectEmbedded(id, post);
    expect(await pending()).toEqual([]);
  });
});

it("sends the provider no request after an update of the author", async () => {
  const id = await insertPost();
  await embedPost(id);
  await updatePost(id, { author: "Bob" });
  expect(await embedPost(id)).toMatchObject({ status: "unchanged" });
  expect(inputs()).toHaveLength(1);
});

it.each([{ title: "New title" }, { body: "New body" }])("embeds again after an update of %j", async (set) => {
  const post = { title: "Title", body: "Body" };
  const id = await insertPost(post);
  await embedPost(id);
  await updatePost(id, set);
  expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 1 });
  await expectEmbedded(id, { ...post, ...set });
});

it("removes the vectors that a long post no longer fills when it becomes short", async () => {
  const id = await insertPost({ title: "Long", body: paragraphs(5) });
  expect(await embedPost(id)).toMatchObject({ chunks: 5 });
  await updatePost(id, { body: "short" });
  expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 1 });
  await expectEmbedded(id, { title: "Long", body: "short" });
});

it("stores the time of the commit with its vectors, or none if it is unknown", async () => {
  const id = await insertPost();
  await change([id], "realtime", "2026-11-21T21:12:08.735Z");
  await embedPost(id);
  expect((await embeddingsOf(id))[0]?.changedAt).toEqual(new Date("2026-11-21T21:12:08.735Z"));
  await updatePost(id, { body: "Another" });
  await embedPost(id);
  expect((await embeddingsOf(id))[0]?.changedAt).toBeNull();
});

describe("a row that changes while its vectors are made", () => {
  it("ends at the newest text in the same run, because that of the newer change finds the row leased", async () => {
    const id = await insertPost({ title: "Race", body: "old" });
    const newer: unknown[] = [];
    meanwhile(async () => {
      await newText(id, "new")();
      newer.push(await embedPost(id));
    });
    expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 2 });
    expect(newer).toEqual([{ status: "leased", chunks: 0, tokens: 0 }]);
    await expectEmbedded(id, { title: "Race", body: "new" });
    expect(await pending()).toEqual([]);
  });

  it("and back again is paid for once", async () => {
    const id = await insertPost({ title: "Race", body: "old" });
    meanwhile(async () => {
      await newText(id, "new")();
      await newText(id, "old")();
    });
    expect(await embedPost(id)).toMatchObject({ status: "embedded" });
    expect(inputs()).toHaveLength(1);
  });

  it("is embedded again when the message of that change arrives", async () => {
    const id = await insertPost({ title: "Race", body: "old" });
    meanwhile(() => updatePost(id, { body: "new" }));
    await embedPost(id);
    await expectEmbedded(id, { title: "Race", body: "old" });
    await change([id]);
    await embedPost(id);
    await expectEmbedded(id, { title: "Race", body: "new" });
  });

  it("keeps no vectors when it is deleted", async () => {
    const id = await insertPost();
    meanwhile(async () => {
      await deletePost(id);
      await change([id]);
    });
    expect(await embedPost(id)).toMatchObject({ status: "deleted" });
    expect(await embeddingsOf(id)).toEqual([]);
    expect(await pending()).toEqual([]);
  });
});

describe("a row that is deleted", () => {
  it("loses its vectors, without a request to the provider", async () => {
    const id = await insertPost();
    await embedPost(id);
    await deletePost(id);
    await change([id]);
    expect(await embedPost(id)).toEqual({ status: "deleted", chunks: 0, tokens: 0 });
    expect(await embeddingsOf(id)).toEqual([]);
    expect(inputs()).toHaveLength(1);
  });

  it("or never existed is not an error", async () => {
    expect(await embedPost(9_223_372_036_854_775_807n)).toMatchObject({ status: "deleted" });
    expect(await pending()).toEqual([]);
  });
});

describe("a text that the provider rejects", () => {
  it("fails the run with the provider's reason, and keeps the vectors of the text before it", async () => {
    const id = await insertPost({ title: "Post", body: "fine" });
    await embedPost(id);
    await newText(id, "poison")();
    provider.rule = poisoned({ named: false });
    const failed = embedPost(id);
    await expect(failed).rejects.toThrow(FailedTextError);
    await expect(failed).rejects.toThrow("'$.input' is invalid.");
    await expectEmbedded(id, { title: "Post", body: "fine" });
    expect(await pending()).toMatchObject([{ queue: "batch", attempts: 1, error: expect.any(String) }]);
  });

  it("is embedded by the same run if it changes before the response", async () => {
    const id = await insertPost({ title: "Post", body: "poison" });
    const refuse = poisoned({ named: true });
    provider.rule = async (...asked) => {
      const refusal = await refuse(...asked);
      if (refusal) await newText(id, "healed")();
      return refusal;
    };
    expect(await embedPost(id)).toMatchObject({ status: "embedded" });
    await expectEmbedded(id, { title: "Post", body: "healed" });
    expect(await pending()).toEqual([]);
  });
});

it("leaves a row alone that another worker has leased, even a dead one", async () => {
  const id = await insertPost();
  await change([id]);
  await leaseRow(database.db, "post", String(id));
  expect(await embedPost(id)).toEqual({ status: "leased", chunks: 0, tokens: 0 });
  expect(inputs()).toEqual([]);
  expect(await pending()).toMatchObject([{ leased: true }]);
});

describe("no row is leased", () => {
  it("by a worker whose declaration differs from the database's", async () => {
    const id = await insertPost();
    await change([id]);
    const older = { ...posts, chunkTokens: 500 };
    const run = embedOne(older, String(id), { db: database.db });
    await expect(run).rejects.toThrow(SourceError);
    expect(await pending()).toMatchObject([{ leased: false, attempts: 0 }]);
  });

  it("while the database has no model, and the command that registers one is named", async () => {
    const id = await insertPost();
    await database.db.execute(sql`update aftercommit.models set state = 'retired'`);
    const run = embedPost(id);
    await expect(run).rejects.toThrow(ModelError);
    await expect(run).rejects.toThrow("npx aftercommit migrate");
    expect(await pending()).toMatchObject([{ leased: false, attempts: 0 }]);
  });
});
