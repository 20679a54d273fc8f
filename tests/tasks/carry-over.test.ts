import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connect, disconnect } from "../../drizzle/client.ts";
import { migrateDatabase } from "../../drizzle/migrate/migrate.ts";
import { findRowsBehind } from "../../drizzle/queries/embeddings/find-rows-behind.ts";
import { findNearestRows } from "../../drizzle/queries/embeddings/nearest-rows.ts";
import { modelsInUse } from "../../lib/embeddings/models-in-use.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { startFreshPostgres } from "../postgres.ts";
import { realPostgres } from "../real-postgres.ts";
import { kinds, previousVersion } from "./previous-version.ts";

// Ten pages; or less than one, since a vector costs the local Postgres ten times as much.
const COUNT = realPostgres ? 10_000 : 200;
const PAGES = Math.ceil(COUNT / 1_000);
// The vectors that are there decide, whatever is set.
const model = { name: "text-embedding-3-large", dimensions: 1_536, recipe: 1 };

let postgres: Awaited<ReturnType<typeof startFreshPostgres>>;
let previous: Awaited<ReturnType<typeof previousVersion>>;

beforeEach(async () => {
  postgres = await startFreshPostgres();
  previous = await previousVersion(postgres.url, COUNT);
});
afterEach(async () => {
  await previous.end();
  await disconnect();
  await postgres.close();
});

const ofKind = (...wanted: number[]) =>
  Array.from({ length: COUNT }, (_, index) => index + 1).filter((id) => wanted.includes(id % 20));

/** What is said is kept; the migration ends as if killed when a line says so. */
async function migrateUntil(line: RegExp | undefined, said: string[]): Promise<string[] | undefined> {
  const say = (text: string) => {
    said.push(text);
    if (!line?.test(text)) return;
    if (!realPostgres) throw new Error("killed");
    void previous.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'aftercommit: long' and datname = current_database()",
    );
  };
  try {
    return await migrateDatabase({ url: postgres.url, model, say });
  } catch (error) {
    if (line === undefined) throw error;
    return undefined;
  }
}

const behind = async () =>
  (await findRowsBehind(connect(postgres.url), posts.of, { modelIds: [1], limit: COUNT })).map(({ id }) =>
    Number(id),
  );

async function nearestTo(id: number): Promise<number | undefined> {
  const db = connect(postgres.url);
  const { active } = await modelsInUse(db);
  const vector = Float32Array.from({ length: 1_536 }, (_, n) => Math.sin(id * (n + 1)));
  const [first] = await findNearestRows(db, posts.of, { vector, model: active, limit: 5 });
  return first && Number(first.id);
}

it("carries vectors over, and what was missing, stale or damaged is found as that", async () => {
  const said: string[] = [];
  const applied = await migrateUntil(undefined, said);
  expect(applied?.slice(0, 2)).toEqual(["0007_embedding_models", "0008_switch_post_embeddings"]);
  const { pending, stale, otherModel, damaged, emptied } = kinds;
  expect(await behind()).toEqual(ofKind(pending, stale, otherModel, damaged, emptied));

  const { rows: active } = await previous.query(
    "select name, dimensions, recipe, state from embedding_models",
  );
  expect(active).toEqual([{ name: "text-embedding-3-small", dimensions: 1_536, recipe: 1, state: "active" }]);
  const { rows: touched } = await previous.query("select from posts where updated_at <> '2020-01-01'");
  expect(touched).toEqual([]);
  const { rows: chunks } = await previous.query(
    "select chunk, chunks, start, length, tokens, changed_at from post_embeddings where post_id in (3, 7) order by post_id, chunk",
  );
  const long = { chunks: 3, start: 0, length: 0, tokens: 7, changed_at: null };
  expect(chunks).toEqual([
    ...[0, 1, 2].map((chunk) => ({ chunk, ...long })),
    { ...long, chunk: 0, chunks: 1, length: "Post 7\n\nBody of 7".length },
  ]);
  for (const id of [7, 23, COUNT - 1]) expect(await nearestTo(id)).toBe(id);
  const { rows: indexes } = await previous.query(
    "select indexrelid::regclass::text as name from pg_index where indrelid in ('posts'::regclass, 'post_embeddings'::regclass) and indisvalid order by 1",
  );
  expect(indexes.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["post_embeddings_model_1", "posts_id_text_hash", "posts_updated_at"]),
  );

  for (const what of ["hashes", "vectors"])
    expect(said.filter((line) => line.startsWith(`${what}: `) && line.endsWith("posts"))).toEqual(
      Array.from(
        { length: PAGES },
        (_, page) => `${what}: ${Math.min(COUNT, (page + 1) * 1_000)} of ${COUNT} posts`,
      ),
    );
  expect(await migrateUntil(undefined, said)).toEqual([]);
});

it("killed at each step it goes on where it was, and what the previous version does meanwhile is kept", async () => {
  const said: string[] = [];
  const [edited, renewed, shortened, deleted, added] = [7, 8, 23, 9, COUNT + 1];
  // A server ends a connection a little after it was told to: the next step may have begun by then.
  const steps: [RegExp, () => Promise<unknown>][] = [
    [/^applied 0007/, () => previous.query("update posts set body = 'edited' where id = $1", [edited])],
    [/^hashes/, () => previous.query("update posts set author = 'Bob' where id = 10")],
    [
      /^hashes|^vectors/,
      async () => {
        await previous.query("update posts set body = 'renewed' where id = $1", [renewed]);
        await previous.embed(renewed);
      },
    ],
    [/^vectors/, () => previous.query("delete from posts where id = $1", [deleted])],
    [
      /^vectors: building/,
      async () => {
        await previous.query("update posts set body = 'shortened' where id = $1", [shortened]);
        await previous.embed(shortened);
        await previous.query(
          "insert into posts (id, title, body, author, updated_at) values ($1, 'Added', 'meanwhile', 'A', '2020-01-01')",
          [added],
        );
        await previous.embed(added);
      },
    ],
  ];
  for (const [line, meanwhile] of steps) {
    expect(await migrateUntil(line, said)).toBeUndefined();
    expect((await previous.search(11))[0]).toBe(11);
    await meanwhile();
    expect(await previous.search(11)).toHaveLength(10);
  }
  expect((await migrateUntil(undefined, said))?.[0]).toBe("0008_switch_post_embeddings");

  const { pending, stale, otherModel, damaged, emptied } = kinds;
  const expected = [...ofKind(pending, stale, otherModel, damaged, emptied), edited];
  expect(await behind()).toEqual(expected.toSorted((a, b) => a - b));
  for (const id of [renewed, shortened, added]) expect(await nearestTo(id)).toBe(id);
  const { rows } = await previous.query("select chunk from post_embeddings where post_id = $1", [shortened]);
  expect(rows).toEqual([{ chunk: 0 }]);
  const { rows: touched } = await previous.query(
    "select id::int from posts where updated_at <> '2020-01-01' order by id",
  );
  expect(touched.map(({ id }) => id)).toEqual([edited, renewed, 10, shortened].toSorted((a, b) => a - b));
  // Each page was done once.
  expect(said.filter((line) => /^hashes: .* posts$/.test(line)).length).toBeLessThanOrEqual(PAGES + 1);
});

describe.skipIf(!realPostgres)("while people are at work (needs TEST_DATABASE_URL)", () => {
  async function connection(): Promise<Client> {
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    return client;
  }

  it("searches are answered and posts are written without a wait, until the switch", async () => {
    const [writer, reader] = [await connection(), await connection()];
    await writer.query("set lock_timeout = '5s'");
    let done = false;
    const writes = (async () => {
      let count = 0;
      for (; !done; count += 1)
        await writer.query("update posts set author = $2 where id = $1", [1 + (count % COUNT), `A ${count}`]);
      return count;
    })();
    const deletes = (async () => {
      const gone: number[] = [];
      for (let id = 17; id < COUNT && !done; id += 40) {
        await writer.query("delete from posts where id = $1", [id]);
        gone.push(id);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return gone;
    })();
    const searches = (async () => {
      for (let count = 0; ; count += 1)
        try {
          const { rows } = await reader.query(
            "select post_id from post_embeddings where model = 'text-embedding-3-small' order by embedding <=> (select embedding from post_embeddings where post_id = 11) limit 10",
          );
          if (rows.length !== 10) throw new Error(`A search found ${rows.length}`);
        } catch (error) {
          return { count, error };
        }
    })();
    const said: string[] = [];
    await migrateUntil(undefined, said);
    const { count, error } = await searches;
    done = true;
    expect(await writes).toBeGreaterThan(0);
    const gone = await deletes;
    expect(gone.length).toBeGreaterThan(0);
    // The column of the old table: the switch has happened.
    expect(error).toMatchObject({ code: "42703" });
    expect(count).toBeGreaterThan(0);
    const { pending, stale, otherModel, damaged, emptied } = kinds;
    expect(await behind()).toEqual(ofKind(pending, stale, otherModel, damaged, emptied));
    for (const client of [writer, reader]) await client.end();
  });

  it("a vector whose transaction began before its page was copied, and ended after it, is kept", async () => {
    const slow = await connection();
    await migrateUntil(/^hashes: 1000 /, []);
    await slow.query("begin");
    await previous.embed(20, slow);
    await migrateUntil(/^vectors: building/, []);
    await slow.query("commit");
    await slow.end();
    await migrateUntil(undefined, []);
    expect(await behind()).not.toContain(20);
    expect(await nearestTo(20)).toBe(20);
  });

  it("a writer that holds a post and waits for its vectors is not in a deadlock with the switch for good", async () => {
    const slow = await connection();
    // Who waits longest for nothing finds the deadlock, and is ended by it: here always the migration.
    await slow.query("set deadlock_timeout = '1h'");
    const waiting = () =>
      previous.query(
        "select from pg_stat_activity where application_name = 'aftercommit: long' and wait_event = 'relation'",
      );
    await migrateUntil(/^vectors: building/, []);
    await slow.query("begin");
    await slow.query("select from posts where id = 7 for no key update");
    const said: string[] = [];
    const migrating = migrateUntil(undefined, said);
    await expect.poll(async () => (await waiting()).rowCount, { interval: 20 }).toBe(1);
    await previous.embed(7, slow);
    await slow.query("commit");
    expect(said.join()).toContain("waits for a lock");
    await slow.end();
    expect((await migrating)?.[0]).toBe("0008_switch_post_embeddings");
    expect(await behind()).not.toContain(7);
  });
});
