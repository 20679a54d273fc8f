import { until } from "../../tests/helpers/until.ts";
import type { FreshDatabase } from "./server.ts";
import { connectPatiently, hasPresentVector } from "./vectors.ts";

type Edit = {
  nth: number;
  /** Delivers the change if no Sequin does. */
  deliver?: (id: string) => Promise<unknown>;
};

/** Changes a post's text. Resolves when its vector is that of the new text, with the milliseconds since the commit. */
export async function waitForEdit(
  { client, url }: Pick<FreshDatabase, "client" | "url">,
  { nth, deliver = async () => {} }: Edit,
): Promise<number> {
  const { rows } = await client.query<{ id: string }>(
    "update posts set title = 'Edited at ' || clock_timestamp() where id = (select min(id) + $1 from posts) returning id",
    [nth],
  );
  const [row] = rows;
  if (!row) throw new Error("There is no such post");
  const committed = performance.now();
  await deliver(row.id);
  const db = connectPatiently(url);
  await until(() => hasPresentVector(db, row.id), {
    everyMs: 2,
    what: `the vector of the edited post ${row.id}`,
  });
  return performance.now() - committed;
}
