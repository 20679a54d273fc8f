import { sql } from "drizzle-orm";
import { beforeEach } from "vitest";
import { posts } from "../../aftercommit.config.ts";
import { GET } from "../../app/api/search/route.ts";
import { GET as GET_SIMILAR } from "../../app/api/similar/route.ts";
import { posts as postsTable } from "../../drizzle/schema.ts";
import type { EmbeddingDeclaration } from "../../packages/aftercommit/src/declare/declaration.ts";
import { embedOne } from "../../packages/aftercommit/src/embeddings/embed-one.ts";
import { fingerprintOf } from "../../packages/aftercommit/src/source.ts";
import { databaseForTests } from "./posts-database.ts";
import { providerForTests } from "./providers/hashing-provider.ts";

type Post = { title?: string; body?: string; author?: string; createdAt?: Date };

type Get = (request: Request) => Promise<Response>;

async function request(get: Get, path: string, parameters: Record<string, string> | string) {
  const query = new URLSearchParams(parameters).toString();
  const response = await get(new Request(`http://localhost/api/${path}?${query}`));
  return { status: response.status, body: await response.json() };
}

/** Embedded posts to search, for the tests of a file. Each test starts without any. */
export function searchForTests() {
  const database = databaseForTests();
  const provider = providerForTests();

  beforeEach(async () => {
    for (const table of [
      "posts",
      "post_embeddings",
      "aftercommit.post_words",
      "aftercommit.pending",
      "aftercommit.usage",
    ])
      await database.db.execute(sql.raw(`delete from ${table}`));
  });

  async function insert(post: Post): Promise<string> {
    const values = { title: "Post", body: "Words.", author: "Alice", ...post };
    const [row] = await database.db.insert(postsTable).values(values).returning({ id: postsTable.id });
    return String(row?.id);
  }

  return {
    database,
    provider,
    insert,
    async insertEmbedded(post: Post, declaration = posts): Promise<string> {
      const id = await insert(post);
      await embedOne(declaration, id, { db: database.db });
      return id;
    },
    /** Changes the declaration that the database has, as npx aftercommit migrate would. */
    async declare(declaration: EmbeddingDeclaration): Promise<void> {
      await database.db.execute(
        sql`update aftercommit.sources set fingerprint = ${fingerprintOf(declaration)} where name = 'post'`,
      );
    },
    /** A request to `GET /api/search`. */
    async ask(parameters: Record<string, string> | string) {
      return request(GET, "search", parameters);
    },
    /** A request to `GET /api/similar`. */
    async askSimilar(parameters: Record<string, string> | string) {
      return request(GET_SIMILAR, "similar", parameters);
    },
  };
}

export const idsOf = ({ results }: { results: readonly { id: string }[] }) => results.map(({ id }) => id);
