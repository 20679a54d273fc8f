import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Dice } from "./dice.ts";
import type { Known, User } from "./known.ts";

type Change = { text: string; values: unknown[]; done(rows: { id: string }[]): void };

const WORDS =
  "amber birch cedar delta ember fjord grove heath inlet jetty knoll ledge marsh north ocean prairie";

const textOf = ({ below }: Dice) => Array.from({ length: 12 }, () => WORDS.split(" ")[below(16)]).join(" ");

const isLost = (error: unknown) =>
  !(error instanceof pg.DatabaseError) || error.code?.startsWith("57") === true;

const insertUser = ({ id, email }: User, done: () => void): Change => ({
  text: "insert into users (id, first_name, last_name, email) values ($1, 'Soak', 'Test', $2) returning id",
  values: [id, email],
  done,
});

/** One change, or two that belong together. The known state changes only when the transaction was committed. */
function changesOf(known: Known, dice: Dice): Change[] {
  const user = dice.below(100) ? undefined : dice.one(known.users);
  // If the delete of a user may have been committed, systems may have been notified already.
  if (!user || known.tried.has(user.id)) return [changeOf(known, dice)];
  // The user exists before and after, whether or not the commit is confirmed.
  known.keeping(user);
  return [
    { text: "delete from users where id = $1 returning id", values: [user.id], done: () => {} },
    insertUser(user, () => {}),
  ];
}

function changeOf(known: Known, dice: Dice): Change {
  const { below, one } = dice;
  const post = one(known.posts);
  const kind = below(100);
  if (post === undefined || kind < 40)
    return {
      text: "insert into posts (title, body, author) values ($1, $2, 'Soak') returning id",
      values: [`Post ${below(1e9)}`, textOf(dice)],
      done: ([row]) => row && known.inserted(row.id),
    };
  if (kind < 75)
    return {
      text: "update posts set body = $2 where id = $1 returning id",
      values: [post, textOf(dice)],
      done: ({ length }) => known.edited(length),
    };
  if (kind < 82)
    return {
      text: "update posts set author = $2 where id = $1 returning id",
      values: [post, `Author ${below(1e6)}`],
      done: () => {},
    };
  if (kind < 94)
    return {
      text: "delete from posts where id = $1 returning id",
      values: [post],
      done: () => known.removed(post),
    };
  const user = one(known.users);
  if (user === undefined || kind < 97) {
    const made = known.newUser(dice);
    return insertUser(made, () => known.users.push(made));
  }
  known.tried.add(user.id);
  return {
    text: "delete from users where id = $1 returning id",
    values: [user.id],
    done: () => known.deleting(user),
  };
}

async function transact(client: pg.Client, changes: readonly Change[]): Promise<void> {
  const results: { id: string }[][] = [];
  await client.query("begin");
  for (const { text, values } of changes)
    results.push((await client.query<{ id: string }>(text, values)).rows);
  await client.query("commit");
  for (const [index, { done }] of changes.entries()) done(results[index] ?? []);
}

async function open(url: string): Promise<pg.Client | undefined> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    query_timeout: 20_000,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch {
    await client.end().catch(() => {});
    return undefined;
  }
}

type Pace = { changes: number; endsAt: number };

/**
 * Commits changes, single ones and transactions of up to 40, evenly until `endsAt`. A transaction whose connection was
 * lost counts as `unknown`: the database shows whether it was committed.
 */
export async function write(url: string, known: Known, dice: Dice, { changes, endsAt }: Pace): Promise<void> {
  const startedAt = Date.now();
  const due = () => (changes * (Date.now() - startedAt)) / (endsAt - startedAt);
  let client: pg.Client | undefined;
  while (known.changes < changes && Date.now() < endsAt) {
    if (known.changes >= due()) {
      await sleep(10);
      continue;
    }
    client ??= await open(url);
    if (!client) {
      await sleep(100);
      continue;
    }
    const size = dice.below(3) ? 1 : 1 + dice.below(40);
    const batch = Array.from({ length: size }, () => changesOf(known, dice)).flat();
    try {
      await transact(client, batch);
      known.changes += batch.length;
    } catch (error) {
      if (!isLost(error)) throw error;
      known.unknown += batch.length;
      await client.end().catch(() => {});
      client = undefined;
    }
  }
  await client?.end();
}
