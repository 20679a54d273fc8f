import { sql } from "drizzle-orm";
import { expect } from "vitest";
import { halfvec } from "../../drizzle/halfvec.ts";
import { embedRow } from "../../lib/embeddings/embed-row.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { type EmbedTexts, embedTexts } from "../../lib/embeddings/provider.ts";
import { split } from "../../lib/embeddings/split.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { databaseForTests } from "./database.ts";
import { providerForTests } from "./provider.ts";

export const paragraphs = (count: number) =>
  Array.from({ length: count }, (_, index) => `Paragraph ${index}. ${"lorem ipsum dolor ".repeat(250)}`).join(
    "\n\n",
  );

export const textOf = ({ title, body }: { title: string; body: string }) => `${title}\n\n${body}`;

type Deps = { embed?: EmbedTexts; waitMs?: number };

/** Does something while the provider is at work, before it answers. */
export const meanwhile =
  (work: () => Promise<unknown>): EmbedTexts =>
  async (...asked) => {
    await work();
    return embedTexts(...asked);
  };

/** A database and a provider for the tests of a file, and what embeds a post by both. */
export function embeddingForTests() {
  const database = databaseForTests();
  const provider = providerForTests();

  const embedPost = (id: bigint, deps: Deps = {}, changedAt: string | null = null) =>
    embedRow(posts.of, String(id), changedAt, deps);

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
    const rows = await database.embeddingsOf(id);
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

  return { database, provider, embedPost, callsOf, expectEmbedded };
}
