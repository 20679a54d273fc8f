import * as config from "../../aftercommit.config.ts";
import { createSampleTables } from "../../dev/sample-tables.ts";
import { disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { declarationsOf } from "../../packages/aftercommit/src/declare/declarations.ts";
import { migrate } from "../../packages/aftercommit/src/migrate/migrate.ts";
import { CHUNKER } from "../../packages/aftercommit/src/models/defaults.ts";
import type { FreshDatabase, Server } from "./server.ts";
import { postOf } from "./texts.ts";

export const MODEL = "text-embedding-3-small";

/** A migrated database with the sample tables and vectors of this width. */
export async function productDatabase(server: Server, dimensions = 1_536): Promise<FreshDatabase> {
  const database = await server.fresh();
  await createSampleTables(database.url);
  const dimensionsAsked = dimensions !== 1_536;
  const model = { provider: "openai", name: MODEL, dimensions, dimensionsAsked, chunker: CHUNKER };
  await migrate({ url: database.url, declarations: declarationsOf(config), model });
  return {
    ...database,
    async drop() {
      await disconnect();
      await database.drop();
    },
  };
}

const PAGE = 1_000;

/** Adds posts, numbered from `from`. */
export async function addPosts({ client }: FreshDatabase, from: number, count: number): Promise<void> {
  for (let start = from; start < from + count; start += PAGE) {
    const posts = Array.from({ length: Math.min(PAGE, from + count - start) }, (_, n) => postOf(start + n));
    await client.query(
      "insert into posts (title, body, author) select title, body, 'Bench' from unnest($1::text[], $2::text[]) as p(title, body)",
      [posts.map(({ title }) => title), posts.map(({ body }) => body)],
    );
  }
}
