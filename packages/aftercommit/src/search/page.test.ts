import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { expect, it } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { realPostgres } from "@/tests/helpers/real-postgres.ts";
import { idsOf, searchForTests } from "@/tests/helpers/searchable-posts.ts";
import { InvalidSearchError } from "./options.ts";
import { search } from "./search.ts";

const SETTINGS = ["enable_sort", "jit", "transaction_read_only", "statement_timeout"];
const { insertEmbedded, ask, database } = searchForTests();

async function withClient(work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function settingsOf(client: Client): Promise<unknown[]> {
  const settings = SETTINGS.map((name) => `current_setting('${name}') as ${name}`).join(", ");
  return (await client.query(`select ${settings}`)).rows;
}

it("a search returns page after page, each row once, best first", async () => {
  const ids = new Set<string>();
  for (let n = 0; n < 7; n += 1) ids.add(await insertEmbedded({ body: `bread ${"other ".repeat(n % 3)}` }));
  const scores: number[] = [];
  const seen: string[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const page = await search(posts, { query: "bread", limit: 3, ...(after && { after }) });
    expect(page.results.length).toBeLessThanOrEqual(3);
    seen.push(...idsOf(page));
    scores.push(...page.results.map(({ score }) => score));
    after = page.next;
  }
  expect(seen).toHaveLength(7);
  expect(new Set(seen)).toEqual(ids);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
});

it.each(["words", "meaning"] as const)(
  "rows that match equally well are on one page each, in mode %s",
  async (mode) => {
    // As texts, their keys have another order than as numbers.
    await database.db.execute("select setval(pg_get_serial_sequence('posts', 'id'), 95)");
    const ids = new Set<string>();
    for (let n = 0; n < 8; n += 1) ids.add(await insertEmbedded({ body: "bread" }));
    const seen: string[] = [];
    for (let after: string | null = ""; after !== null; ) {
      const page = await search(posts, { query: "bread", mode, limit: 3, ...(after && { after }) });
      seen.push(...idsOf(page));
      after = page.next;
    }
    expect(seen).toHaveLength(8);
    expect(new Set(seen)).toEqual(ids);
  },
);

it("a page's next is rejected for another search, and so is an invented one", async () => {
  for (let n = 0; n < 2; n += 1) await insertEmbedded({ body: "bread" });
  const { next } = await search(posts, { query: "bread", limit: 1 });
  expect(next).not.toBeNull();
  for (const options of [
    { query: "butter", after: next ?? "" },
    { query: "bread", where: { author: "Alice" }, after: next ?? "" },
    { query: "bread", after: "bm8" },
  ])
    await expect(search(posts, options)).rejects.toThrow(InvalidSearchError);
});

it("a search leaves out results below the minimum score", async () => {
  const near = await insertEmbedded({ title: "bread", body: "bread" });
  await insertEmbedded({ title: "Gardening", body: "Tulips beside the wall." });
  const all = await search(posts, { query: "bread" });
  expect(all.results).toHaveLength(2);
  const [best, other] = all.results;
  const minScore = ((best?.score ?? 0) + (other?.score ?? 0)) / 2;
  expect(idsOf(await search(posts, { query: "bread", minScore }))).toEqual([near]);
  expect(idsOf((await ask(`q=bread&minScore=${minScore}`)).body)).toEqual([near]);
});

it("a search on a client of the caller's finds the same, and changes no setting of it", async () => {
  const id = await insertEmbedded({ body: "bread" });
  await withClient(async (client) => {
    const before = await settingsOf(client);
    expect(idsOf(await search(posts, { query: "bread" }, { db: client }))).toEqual([id]);
    expect(await settingsOf(client)).toEqual(before);
  });
});

it("a search on a connection with errors of another class finds the same", async () => {
  const id = await insertEmbedded({ body: "bread" });
  await withClient(async (client) => {
    const other = {
      query: (text: string, values: unknown[]) =>
        client.query(text, values).catch(({ message, code }) => {
          throw Object.assign(new Error(message), { code });
        }),
    };
    expect(idsOf(await search(posts, { query: "bread" }, { db: other }))).toEqual([id]);
  });
});

// The Postgres emulator has one session: it answers no one else during a transaction.
it.runIf(realPostgres)(
  "a search in a transaction of the caller's is a part of it, which can go on",
  async () => {
    const id = await insertEmbedded({ body: "bread" });
    await withClient(async (client) => {
      await client.query("begin");
      const before = await settingsOf(client);
      await client.query("delete from posts");
      expect(idsOf(await search(posts, { query: "bread" }, { db: client }))).toEqual([]);
      const invalid = search(posts, { query: "bread", where: { created_at: "no date" } }, { db: client });
      await expect(invalid).rejects.toThrow(InvalidSearchError);
      expect(await settingsOf(client)).toEqual(before);
      await client.query("rollback");
      expect(idsOf(await search(posts, { query: "bread" }, { db: client }))).toEqual([id]);
    });
  },
);

it.runIf(realPostgres)(
  "row level security holds for the role that searches: each sees its own rows, all of them",
  async () => {
    const roles = ["jane", "bob"].map((name) => `${name}_${randomUUID().replaceAll("-", "")}`);
    const [jane = "", bob = ""] = roles;
    const owner = database.db.$client;
    await owner.query("alter table posts enable row level security");
    await owner.query("create policy own on posts using (author = current_user)");
    for (const role of roles) await owner.query(`create role ${role}`);
    await owner.query(`grant usage on schema aftercommit to ${roles.join(", ")}`);
    await owner.query(`grant select on all tables in schema aftercommit, public to ${roles.join(", ")}`);
    try {
      const own = new Map<string, string[]>([
        [jane, []],
        [bob, []],
      ]);
      for (let n = 0; n < 12; n += 1) {
        const author = n % 3 === 0 ? jane : bob;
        own.get(author)?.push(await insertEmbedded({ body: `bread ${n}`, author }));
      }
      for (const [role, ids] of own)
        await withClient(async (client) => {
          await client.query(`set role ${role}; set row_security = on`);
          const found = idsOf(await search(posts, { query: "bread", limit: 50 }, { db: client }));
          expect(found.toSorted()).toEqual(ids.toSorted());
        });
    } finally {
      await owner.query("drop policy own on posts");
      await owner.query("alter table posts disable row level security");
      for (const role of roles) await owner.query(`drop owned by ${role}; drop role ${role}`);
    }
  },
);
