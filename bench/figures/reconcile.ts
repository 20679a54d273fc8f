import { sql } from "drizzle-orm";
import { posts } from "../../aftercommit.config.ts";
import { type Reconciliation, reconcile } from "../../packages/aftercommit/src/embeddings/reconcile.ts";
import { sourceOf } from "../../packages/aftercommit/src/source.ts";
import type { Bench } from "../bench.ts";
import { productDatabase } from "../parts/product-database.ts";
import { connectPatiently, insertVectors } from "../parts/vectors.ts";
import { Times } from "../report.ts";

const DIMENSIONS = 4;
const PASSES = 3;

const found = ({ missing, orphaned }: Reconciliation) => missing + orphaned;

/** Walks a table and its vectors: first with nothing to do, then with one in a hundred rows damaged. */
export async function run({ server, quick, progress, figure, count, times }: Bench): Promise<void> {
  const all = quick ? 20_000 : 200_000;
  const database = await productDatabase(server, DIMENSIONS);
  const { client, url } = database;
  const db = connectPatiently(url);
  try {
    progress(`adds ${all} rows`);
    await client.query(
      "insert into posts (title, body, author) select 'Post ' || n, 'Some words about ' || n, 'Bench' from generate_series(1, $1::int) n",
      [all],
    );
    await insertVectors(db, { embedding: sql`'[1,2,3,4]'` });
    await client.query("vacuum analyze");
    const source = await sourceOf(db, posts);
    for (const full of [false, true]) {
      const name = full ? "reconcile --full" : "reconcile";
      progress(`${name} with nothing to do`);
      const took = new Times();
      for (let pass = 0; pass < PASSES; pass += 1)
        count(
          `${name}, pass ${pass + 1}: rows to do`,
          found(await took.measure(() => reconcile(db, source, { full }))),
          {
            exactly: 0,
          },
        );
      times(`${name} of ${all} rows with nothing to do`, took);
      figure(name, (all / took.percentile(50)) * 1_000, "rows/s");
    }

    progress("damages 1.5 % of the rows");
    const damaged = all / 200;
    await client.query("delete from post_embeddings where post_id % 200 = 7");
    await client.query("update post_embeddings set text_hash = gen_random_uuid() where post_id % 200 = 107");
    await client.query("delete from posts where id % 200 = 57");
    const missing = await reconcile(db, source, { dryRun: true });
    count("rows without vectors", missing.missing, { exactly: damaged });
    count("vectors without rows", missing.orphaned, { exactly: damaged });
    const everything = await reconcile(db, source, { full: true });
    count("rows without vectors, or with those of another text", everything.missing, {
      exactly: 2 * damaged,
    });
    const { rowCount } = await client.query("select from aftercommit.pending");
    // If more than a tenth of the table were missing, no vector would be deleted.
    count("entries in the inbox", rowCount ?? 0, { exactly: 3 * damaged });
  } finally {
    await database.drop();
  }
}
