import { beforeEach } from "vitest";
import { posts as postsTable } from "../../drizzle/schema.ts";
import { embedRow } from "../../lib/embeddings/embed-row.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import type { EmbedTexts } from "../../lib/embeddings/provider.ts";
import { rowsBehind } from "../../lib/embeddings/rows-behind.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { databaseForTests } from "./database.ts";

export const embed: EmbedTexts = async (model, texts) => ({
  vectors: texts.map(() => new Float32Array(model.dimensions).fill(0.1)),
  tokens: texts.length,
  left: {},
});

/** A database without posts for each test of a file, and which of its rows are found to be behind. */
export function behindForTests() {
  const database = databaseForTests({ ...FIRST_MODEL, dimensions: 4 });
  beforeEach(async () => {
    await database.db.delete(postsTable);
  });

  const embedPost = (id: bigint) => embedRow(posts.of, String(id), null, { embed });

  async function pages() {
    const found = [];
    for await (const page of rowsBehind(posts, database.db)) found.push(page);
    return found;
  }

  const behind = async () => (await pages()).flat();
  return { database, embedPost, pages, behind };
}
