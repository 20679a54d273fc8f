import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { halfvec } from "../../drizzle/halfvec.ts";
import { classifyError } from "../../lib/embeddings/classify-error.ts";
import { embedRow } from "../../lib/embeddings/embed-row.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { type EmbedTexts, embedTexts } from "../../lib/embeddings/provider.ts";
import { split } from "../../lib/embeddings/split.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { databaseForTests } from "./database.ts";
import { providerForTests } from "./provider.ts";

const now = new Date("2026-01-02T03:04:05.000Z");
const database = databaseForTests();
const provider = providerForTests();
const { insertPost, updatePost, deletePost, embeddingsOf } = database;

const paragraphs = (count: number) =>
  Array.from({ length: count }, (_, index) => `Paragraph ${index}. ${"lorem ipsum dolor ".repeat(250)}`).join(
    "\n\n",
  );

const textOf = ({ title, body }: { title: string; body: string }) => `${title}\n\n${body}`;

type Deps = { embed?: EmbedTexts; waitMs?: number };

const embedPost = (id: bigint, deps: Deps = {}, changedAt: string | null = null) =>
  embedRow(posts.of, String(id), changedAt, deps);

/** Does something while the provider is at work, before it answers. */
const meanwhile =
  (work: () => Promise<unknown>): EmbedTexts =>
  async (...asked) => {
    await work();
    return embedTexts(...asked);
  };

/** How many calls of the provider some work makes. */
async function callsOf(work: () => Promise<unknown>): Promise<number> {
  const { calls } = await provider.stats();
  await work();
  return (await provider.stats()).calls - calls;
}

async function expectEmbedded(id: bigint, post: { title: string; body: string }) {
  const chunks = split(textOf(post));
  const { vectors } = await embedTexts(
    FIRST_MODEL,
    chunks.map(({ text }) => text),
  );
  const { rows: hashes } = await database.db.execute<{ hash: string }>(
    sql`select md5(${textOf(post)}::text)::uuid as hash`,
  );
  const rows = await embeddingsOf(id);
  expect(
    rows.map(({ chunk, chunks, textHash, tokens, start, length }) => ({
      chunk,
      chunks,
      textHash,
      tokens,
      start,
      length,
    })),
  ).toEqual(
    chunks.map(({ tokens, start, length }, chunk) => ({
      chunk,
      chunks: chunks.length,
      textHash: hashes[0]?.hash,
      tokens,
      start,
      length,
    })),
  );
  for (const [index, vector] of vectors.entries()) {
    const { rows: same } = await database.db.execute(
      sql`select from post_embeddings where post_id = ${id} and chunk = ${index} and embedding = ${halfvec(vector)}::halfvec`,
    );
    expect(same).toHaveLength(1);
  }
}

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

describe("a run whose provider", () => {
  it.each([
    [
      "limits the rate",
      { status: 429, retryAfterMs: 1_500 },
      { kind: "retryAt", at: new Date(now.getTime() + 1_500) },
    ],
    ["limits the rate without a time", { status: 429 }, { kind: "retry" }],
    [
      "has no quota left",
      { status: 429, code: "insufficient_quota", retryAfterMs: 1_500 },
      { kind: "abort" },
    ],
    ["does not know the key", { status: 401 }, { kind: "abort" }],
    ["fails", { status: 500 }, { kind: "retry" }],
    ["is overloaded", { status: 503 }, { kind: "retry" }],
  ])("%s writes nothing, asks once where it may not wait, and says what to do", async (_, fault, verdict) => {
    const id = await insertPost();
    await provider.fail(fault);
    const { calls } = await provider.stats();
    const error = await embedPost(id, { waitMs: 0 }).catch((error: unknown) => error);
    expect(classifyError(error, now)).toEqual(verdict);
    expect((await provider.stats()).calls).toBe(calls + 1);
    expect(await embeddingsOf(id)).toEqual([]);
  });
});

it("a request that is refused whatever it holds aborts the run, and no text is recorded as refused", async () => {
  const id = await insertPost();
  await provider.fail({ status: 400 });
  const error = await embedPost(id).catch((error: unknown) => error);
  expect(classifyError(error, now)).toEqual({ kind: "abort" });
  expect(error).toMatchObject({ status: 400 });
  expect((await database.db.execute(sql`select from embedding_failures`)).rows).toEqual([]);
});

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
