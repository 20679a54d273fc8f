import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { embeddingModels } from "../../drizzle/embedding-tables.ts";
import { posts as postsTable } from "../../drizzle/schema.ts";
import { embedMany } from "../../lib/embeddings/embed-many.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { rowsBehind } from "../../lib/embeddings/rows-behind.ts";
import { FIRST_MODEL } from "../postgres-template.ts";
import { behindForTests, embed } from "./behind-for-tests.ts";

const { database, embedPost, pages, behind } = behindForTests();
const { insertPost, updatePost, deletePost } = database;

async function withModelBeingBuilt(work: (id: number) => Promise<void>): Promise<void> {
  const model = { name: "text-embedding-3-large", dimensions: 6, recipe: 1, indexType: "halfvec" as const };
  const [building] = await database.db
    .insert(embeddingModels)
    .values({ ...model, state: "building" })
    .returning({ id: embeddingModels.id });
  try {
    await work(building?.id ?? 0);
  } finally {
    await database.db.delete(postsTable);
    await database.db.delete(embeddingModels).where(sql`state = 'building'`);
  }
}

describe("more than a page of them", () => {
  beforeEach(async () => {
    await database.db.execute(
      sql`insert into posts (id, title, body, author) select n, 'Post ' || n, 'Body', 'Alice' from generate_series(1, 2234) n`,
    );
  });

  it("come 1,000 at a time, each once, in the order of their ids", async () => {
    const found = await pages();
    expect(found.map((page) => page.length)).toEqual([1_000, 1_000, 234]);
    expect(found.flat()).toEqual(Array.from({ length: 2_234 }, (_, index) => String(index + 1)));
  });

  it("come once each although rows are embedded, deleted and added between the pages", async () => {
    const found: string[] = [];
    for await (const page of rowsBehind(posts, database.db)) {
      if (found.length === 0) {
        await embedPost(3n);
        await embedPost(1_700n);
        await deletePost(1_701n);
        await insertPost({ id: 5_000n });
      }
      found.push(...page);
    }
    expect(new Set(found).size).toBe(found.length);
    expect(found).toHaveLength(2_234 - 2 + 1);
    for (const id of ["1700", "1701"]) expect(found).not.toContain(id);
    expect(found.at(-1)).toBe("5000");
  });

  it("are healed with exactly as many inputs as were damaged", async () => {
    const all = await behind();
    for (let start = 0; start < all.length; start += 1_000)
      await embedMany(posts.of, all.slice(start, start + 1_000), { embed });
    await database.db.execute(sql`delete from post_embeddings where post_id % 300 = 0`);
    await database.db.execute(
      sql`update post_embeddings set text_hash = md5('x')::uuid where post_id % 300 = 1`,
    );
    const damaged = await behind();
    expect(damaged).toHaveLength(7 + 8);
    const healed = await embedMany(posts.of, all.slice(0, 1_000).concat(damaged), { embed });
    expect(healed.tokens).toBe(damaged.length);
    expect(await behind()).toEqual([]);
  });
});

describe("while another model is being built", () => {
  it("a row is found by each model that lacks it, and once where both do", async () => {
    const embedded = await insertPost();
    await embedPost(embedded);
    await withModelBeingBuilt(async () => {
      const missing = await insertPost();
      expect(await behind()).toEqual([embedded, missing].map(String));
      await embedPost(missing);
      expect(await behind()).toEqual([String(embedded)]);
      await embedPost(embedded);
      expect(await behind()).toEqual([]);
    });
  });

  it("a run embeds by both, and tells what became of the row by the active one", async () => {
    await withModelBeingBuilt(async (building) => {
      const id = await insertPost();
      expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 2, model: FIRST_MODEL.name });
      const rows = await database.db.execute(
        sql`select model_id, vector_dims(embedding) as width from post_embeddings order by model_id`,
      );
      expect(rows.rows).toEqual([
        { model_id: 1, width: 4 },
        { model_id: building, width: 6 },
      ]);
      await updatePost(id, { body: "Another" });
      await embedPost(id);
      expect(await behind()).toEqual([]);
    });
  });

  it("pages of both hold each row once, in order", async () => {
    await withModelBeingBuilt(async () => {
      await database.db.execute(
        sql`insert into posts (id, title, body, author) select n, 'Post', 'Body', 'Alice' from generate_series(1, 1500) n`,
      );
      const odd = Array.from({ length: 750 }, (_, index) => String(2 * index + 1));
      await embedMany(posts.of, odd, { embed });
      const even = odd.map((id) => String(Number(id) + 1));
      expect(await behind()).toEqual(even);
      await database.db.execute(sql`delete from post_embeddings where model_id <> 1 and post_id < 100`);
      expect(await behind()).toEqual(
        [...even, ...odd.slice(0, 50)].toSorted((a, b) => Number(a) - Number(b)),
      );
    });
  });
});
