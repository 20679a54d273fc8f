import pg from "pg";
import { until } from "../until.ts";

type Change = { text: string; values: unknown[] };

const WORDS =
  "amber birch cedar delta ember fjord grove heath inlet jetty knoll ledge marsh north ocean prairie".split(
    " ",
  );

const bodyOf = (seed: number) =>
  Array.from({ length: 12 }, (_, index) => WORDS[(seed * 7 + index * index * 3) % WORDS.length]).join(" ");

/** The n-th change of a round: five inserts, then three updates and a delete among their rows, and so on. */
function changeOf(n: number, ids: readonly string[]): Change {
  const step = n % 10;
  const row = ids[(n * 13) % Math.max(1, ids.length)];
  if (row === undefined || step < 5)
    return {
      text: "insert into posts (title, body, author) values ($1, $2, 'Test') returning id",
      values: [`Post ${n}`, bodyOf(n)],
    };
  if (step < 9) return { text: "update posts set body = $2 where id = $1", values: [row, bodyOf(n + 1000)] };
  return { text: "delete from posts where id = $1", values: [row] };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/**
 * Commits changes one after another and calls back after each. If one fails with its connection because the database
 * was killed, it is repeated on a new one. It may then be committed twice, which is one more change.
 */
export async function commitChanges(
  url: string,
  count: number,
  committed: (n: number) => void | Promise<void>,
): Promise<void> {
  const ids: string[] = [];
  let client: pg.Client | undefined;
  for (let n = 0; n < count; ) {
    try {
      client ??= await until(() => connect(url).catch(() => undefined), { what: "connection" });
      const { text, values } = changeOf(n, ids);
      const { rows } = await client.query<{ id: string }>(text, values);
      if (rows[0]) ids.push(rows[0].id);
      n += 1;
    } catch (error) {
      if (error instanceof pg.DatabaseError || !client) throw error;
      await client?.end().catch(() => {});
      client = undefined;
      continue;
    }
    await committed(n);
  }
  await client?.end();
}
