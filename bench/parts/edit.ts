import { until } from "../../tests/until.ts";
import type { FreshDatabase } from "./server.ts";

/** Changes a post's text, and resolves when its vector is that of the new text, with the milliseconds since the commit. */
export async function waitForEdit({ client }: FreshDatabase, nth: number): Promise<number> {
  const { rows } = await client.query<{ id: string; text_hash: string }>(
    `update posts set title = 'Edited at ' || clock_timestamp() where id = (select min(id) + $1 from posts)
     returning id, text_hash`,
    [nth],
  );
  const [row] = rows;
  if (!row) throw new Error("There is no such post");
  const committed = performance.now();
  await until(
    async () => {
      const found = await client.query("select from post_embeddings where post_id = $1 and text_hash = $2", [
        row.id,
        row.text_hash,
      ]);
      return found.rowCount === 1;
    },
    { everyMs: 2, what: `the vector of the edited post ${row.id}` },
  );
  return performance.now() - committed;
}
