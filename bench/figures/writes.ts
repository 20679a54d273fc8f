import { createSampleTables } from "../../dev/sample-tables.ts";
import type { Bench } from "../bench.ts";
import { productDatabase } from "../parts/product-database.ts";
import { type FreshDatabase, realServer } from "../parts/server.ts";
import { postOf } from "../parts/texts.ts";
import { Times } from "../report.ts";

const STATEMENTS = 200;

type Statement = "insert" | "update" | "delete";

/** Inserts, updates and deletes posts, one statement per transaction, as their owner's app does. */
async function write({ client }: FreshDatabase, times: Record<Statement, Times>): Promise<void> {
  const ids: string[] = [];
  for (let nth = 0; nth < STATEMENTS; nth += 1) {
    const { title, body } = postOf(nth);
    await times.insert.measure(async () => {
      const insert = "insert into posts (title, body, author) values ($1, $2, 'Bench') returning id";
      ids.push((await client.query<{ id: string }>(insert, [title, body])).rows[0]?.id ?? "");
    });
  }
  for (const id of ids)
    await times.update.measure(() => client.query("update posts set body = body || '.' where id = $1", [id]));
  for (const id of ids)
    await times.delete.measure(() => client.query("delete from posts where id = $1", [id]));
}

const noTimes = () => ({ insert: new Times(), update: new Times(), delete: new Times() });

/**
 * The owner's own statements on a real PostgreSQL: in a database with only their tables, and in one that the product
 * was migrated into. The two take turns, so that the machine's other load affects both.
 */
export async function run({ server, quick, progress, times, figure }: Bench): Promise<void> {
  const real = await realServer(server);
  const plain = await real.fresh();
  await createSampleTables(plain.url);
  const product = await productDatabase(real);
  const [before, after] = [noTimes(), noTimes()];
  const rounds = quick ? 2 : 25;
  try {
    await write(plain, noTimes());
    await write(product, noTimes());
    for (let round = 0; round < rounds; round += 1) {
      progress(`round ${round + 1} of ${rounds}`);
      const turns = [() => write(plain, before), () => write(product, after)];
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
    for (const statement of ["insert", "update", "delete"] as const) {
      times(`${statement}, without Aftercommit`, before[statement]);
      times(`${statement}, with Aftercommit`, after[statement]);
      figure(
        `${statement}, p50 as a multiple`,
        after[statement].percentile(50) / before[statement].percentile(50),
        "",
      );
    }
  } finally {
    await product.drop();
    await plain.drop();
  }
}
