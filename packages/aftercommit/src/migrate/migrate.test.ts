import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  declarations,
  migrationsForTests,
  model,
  POST,
  posts,
  TABLES,
} from "@/tests/helpers/migrate/sample.ts";
import { readUsersCatalog } from "@/tests/helpers/migrate/users-catalog.ts";
import { defineDeletion, defineEmbedding } from "../define.ts";
import { fingerprintOf } from "../source.ts";
import { MIGRATIONS } from "./missing-migrations.ts";

const { database, run, all } = migrationsForTests();

const ALL_STEPS = [
  "extension vector",
  "schema aftercommit",
  "001_aftercommit",
  "table public.post_embeddings",
  "table aftercommit.post_words",
  "source post",
  "source user",
  "source order",
  "model text-embedding-3-small",
];

it("knows every file of sql/", () => {
  const files = readdirSync(new URL("../../sql", import.meta.url));
  expect(files.toSorted()).toEqual(MIGRATIONS.map((name) => `${name}.sql`));
});

describe("a database with other tables", () => {
  it("gets Aftercommit's tables once, and its own tables stay as they are, down to the last row of the catalog", async () => {
    await database.client.query(TABLES);
    await database.client.query(`create schema drizzle; create table drizzle.__drizzle_migrations (id serial, hash text);
      insert into drizzle.__drizzle_migrations (hash) values ('theirs')`);
    const before = await readUsersCatalog(database.client);
    expect((await run()).applied).toEqual(ALL_STEPS);
    expect(await readUsersCatalog(database.client)).toEqual(before);
    expect(await all("select id, hash from drizzle.__drizzle_migrations")).toEqual([
      { id: 1, hash: "theirs" },
    ]);

    const rows = "select xmin, * from aftercommit.sources order by name";
    const recorded = await all(rows);
    expect(await run()).toEqual({ applied: [], lines: [] });
    expect(await all(rows)).toEqual(recorded);
    expect(await readUsersCatalog(database.client)).toEqual(before);
  });

  it("is recorded with its tables, keys and cluster", async () => {
    await database.client.query(TABLES);
    await run();
    const cluster =
      await all(`select system_identifier::text, left(pg_walfile_name(pg_current_wal_lsn()), 8) as timeline
      from pg_control_system()`);
    expect(
      await all("select name, kind, table_name, key_type, embeddings from aftercommit.sources order by name"),
    ).toEqual([
      { name: "order", kind: "trigger", table_name: '"shop"."Order"', key_type: "text", embeddings: null },
      {
        name: "post",
        kind: "embedding",
        table_name: '"public"."posts"',
        key_type: "bigint",
        embeddings: '"public"."post_embeddings"',
      },
      { name: "user", kind: "deletion", table_name: '"public"."users"', key_type: "uuid", embeddings: null },
    ]);
    expect(
      await all(`select table_oid = 'posts'::regclass as same, fingerprint, system_identifier, timeline
        from aftercommit.sources where name = 'post'`),
    ).toEqual([{ same: true, fingerprint: fingerprintOf(posts), ...cluster[0] }]);
    expect(
      await all(
        `select provider, name, dimensions, dimensions_asked as "dimensionsAsked", chunker, state from aftercommit.models`,
      ),
    ).toEqual([{ ...model, state: "active" }]);
  });

  it("is not changed at all if one declaration does not fit, and every problem is named", async () => {
    await database.client.query(`${TABLES} create table post_embeddings (post_id integer, embedding real[])`);
    const wrong = defineDeletion({ row: "account", table: "accounts", key: "id" });
    const failure = run([...declarations, wrong]);
    await expect(failure).rejects.toThrow(
      /post_embeddings is taken by a table that is not Aftercommit's; choose another name/,
    );
    await expect(failure).rejects.toThrow(
      /defineDeletion\(\{ row: "account" \}\), table: there is no table public\.accounts/,
    );
    expect(await all("select from pg_namespace where nspname = 'aftercommit'")).toEqual([]);

    const chosen = { ...posts, embeddings: { schema: "public", name: "post_vectors" } };
    expect((await run([chosen])).applied).toContain("table public.post_vectors");
    expect(await all("select * from post_embeddings")).toEqual([]);
  });

  it("is not changed for a model whose vectors are too wide for an index", async () => {
    await database.client.query(TABLES);
    await expect(run(declarations, { dimensions: 4_096 })).rejects.toThrow(
      "text-embedding-3-small makes vectors of 4096 dimensions, and an index takes 4000: set EMBEDDING_DIMENSIONS",
    );
    expect(await all("select from pg_namespace where nspname = 'aftercommit'")).toEqual([]);
  });

  it("rejects two declarations with one embeddings table", async () => {
    await database.client.query(TABLES);
    const twin = { ...posts, row: "twin" };
    await expect(run([posts, twin])).rejects.toThrow(/row: "twin".*another declaration's table as well/);
  });
});

it("counts in aftercommit.status what is embedded, pending and failed, and since when", async () => {
  await database.client.query(TABLES);
  await run();
  await database.client.query(`insert into post_embeddings
      (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
    select id, 1, chunk, chunks, md5('')::uuid, 0, 1, 1, embedding::halfvec
    from (values (1, 0, 2, '[1,2]'), (1, 1, 2, '[1,2]'), (2, 0, 0, null)) as v (id, chunk, chunks, embedding);
    insert into aftercommit.pending
      (source, row_id, queue, version, accepted_at, accepted_xid, next_attempt, error, settle_xid)
    select 'post', id, queue, 1, now() - waits::interval, '5'::xid8, now(), error, settle::xid8
    from (values ('3', 'realtime', '1 minute', null, null), ('4', 'batch', '1 hour', null, null),
      ('5', 'batch', '1 day', 'too long', null), ('6', 'batch', '1 day', null, '5')) as v (id, queue, waits, error, settle);
    insert into aftercommit.usage values ((now() at time zone 'utc')::date, 'm', 1, 40), ('2020-01-01', 'm', 1, 2)`);
  expect(await all("select *, round(oldest_seconds / 60) as oldest_seconds from aftercommit.status")).toEqual(
    [
      {
        source: "post",
        table_name: '"public"."posts"',
        embedded: "1",
        pending: "2",
        failed: "1",
        oldest_seconds: 60,
        tokens_today: "40",
      },
    ],
  );
  await database.client.query("drop table post_embeddings");
  expect(await all("select embedded, pending from aftercommit.status")).toEqual([
    { embedded: "0", pending: "2" },
  ]);
});

describe("a declaration that changes", () => {
  const record = async () =>
    (
      await all(
        "select fingerprint, fully_reconciled_at, system_identifier from aftercommit.sources where name = 'post'",
      )
    )[0];

  it("is recorded, and asks for a full reconciliation; the cluster stays as it was", async () => {
    await database.client.query(TABLES);
    await run();
    await database.client.query(
      "update aftercommit.sources set fully_reconciled_at = now(), system_identifier = '7'",
    );
    const titles = defineEmbedding({ ...POST, text: ["title"] });
    const { applied, lines } = await run([titles, ...declarations.slice(1)]);
    expect(applied).toEqual(["source post"]);
    expect(lines).toContainEqual(
      expect.stringMatching(/declaration of post.*npx aftercommit reconcile --full/),
    );
    expect(await record()).toEqual({
      fingerprint: fingerprintOf(titles),
      fully_reconciled_at: null,
      system_identifier: "7",
    });
  });

  it("is named when it does not exist any more, and its rows stay", async () => {
    await database.client.query(TABLES);
    await run();
    const { applied, lines } = await run(declarations.slice(1));
    expect(applied).toEqual([]);
    expect(lines).toEqual([expect.stringMatching(/^post is not declared any more/)]);
    expect(await all("select source, embedded from aftercommit.status")).toEqual([
      { source: "post", embedded: "0" },
    ]);
  });

  it("is rejected with another type of key, and accepted after the fix that it prints", async () => {
    await database.client.query(TABLES);
    await run();
    await database.client.query("alter table posts alter id type integer");
    const error = await run().catch((thrown: Error) => thrown);
    const [, fix = ""] =
      /keys of type bigint, and public\.posts of type integer: (.*); or drop it/.exec(String(error)) ?? [];
    await database.client.query(fix);
    expect((await run()).applied).toEqual(["table aftercommit.post_words", "source post"]);
  });

  it("is recorded with the new table when its table was swapped by renaming", async () => {
    await database.client.query(TABLES);
    await run();
    await database.client.query(`create table posts_new (like posts including all);
      alter table posts rename to posts_old; alter table posts_new rename to posts`);
    const { applied, lines } = await run();
    expect(applied).toEqual(["source post"]);
    expect(lines.join()).toMatch(/npx aftercommit reconcile --full/);
  });
});
