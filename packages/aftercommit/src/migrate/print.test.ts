import { describe, expect, it } from "vitest";
import { declarations, migrationsForTests, model, TABLES } from "@/tests/helpers/migrate/sample.ts";
import { readUsersCatalog } from "@/tests/helpers/migrate/users-catalog.ts";
import { printMigration } from "./print.ts";

const { database, run, all } = migrationsForTests();

describe("the printed SQL", () => {
  const print = () => printMigration({ url: database.url, declarations, model });

  it("does what migrate does, and nothing is printed twice", async () => {
    await database.client.query(TABLES);
    const before = await readUsersCatalog(database.client);
    const printed = await print();
    expect(await readUsersCatalog(database.client)).toEqual(before);
    expect(await all("select from pg_namespace where nspname = 'aftercommit'")).toEqual([]);
    await database.client.query("drop publication if exists sequin_pub");
    await database.client.query(printed);
    expect(await run()).toEqual({ applied: [], lines: [] });
    expect(await print()).not.toMatch(/create table|insert into/);
    expect(
      await all("select tablename from pg_publication_tables where pubname = 'sequin_pub' order by 1"),
    ).toEqual([{ tablename: "Order" }, { tablename: "posts" }, { tablename: "users" }]);
  });

  it("adds what an existing publication lacks", async () => {
    await database.client.query(TABLES);
    await database.client.query(
      "drop publication if exists sequin_pub; create publication sequin_pub for table users",
    );
    const printed = await print();
    expect(printed).toContain('alter publication sequin_pub add table public.posts, "shop"."Order";');
    await database.client.query(printed);
    expect(await print()).not.toContain("publication");
  });

  it("creates no publication for Sequin if no declaration is from Sequin", async () => {
    await database.client.query(`${TABLES}; drop publication if exists sequin_pub`);
    const captured = declarations.map((declaration) => ({ ...declaration, from: "capture" as const }));
    expect(await printMigration({ url: database.url, declarations: captured, model })).not.toContain(
      "publication",
    );
  });

  it("lets the app and the tasks only read the declared tables, and work on Aftercommit's", async () => {
    await database.client.query(TABLES);
    await database.client.query(await print());
    const may = async (role: string, table: string, privileges: string) => {
      const { rows } = await database.client.query("select has_table_privilege($1, $2, $3) as may", [
        role,
        table,
        privileges,
      ]);
      return rows[0]?.may;
    };
    for (const role of ["aftercommit_app", "aftercommit_tasks", "aftercommit_sequin"])
      for (const table of ["public.posts", "public.users", 'shop."Order"']) {
        expect(await may(role, table, "select")).toBe(true);
        expect(await may(role, table, "insert, update, delete, truncate, references, trigger")).toBe(false);
      }
    expect(await may("aftercommit_sequin", "aftercommit.pending", "select, insert, update, delete")).toBe(
      false,
    );
    expect(
      await all(
        "select rolname, rolreplication, rolbypassrls from pg_roles where rolname ~ '^aftercommit' order by 1",
      ),
    ).toEqual([
      { rolname: "aftercommit_app", rolreplication: false, rolbypassrls: true },
      { rolname: "aftercommit_sequin", rolreplication: true, rolbypassrls: true },
      { rolname: "aftercommit_tasks", rolreplication: false, rolbypassrls: true },
    ]);
    try {
      await database.client.query("set role aftercommit_app");
      expect(await all("select title from posts")).toEqual([{ title: "one" }]);
      await database.client.query(`insert into aftercommit.pending
        (source, row_id, queue, version, accepted_at, accepted_xid, next_attempt)
        values ('post', '1', 'batch', nextval('aftercommit.pending_version'), now(), pg_current_xact_id(), now());
        delete from public.post_embeddings`);
      expect(await all("select source, pending from aftercommit.status")).toEqual([
        { source: "post", pending: "1" },
      ]);
      await database.client.query("set role aftercommit_tasks");
      await database.client.query("create index concurrently on post_embeddings (model_id)");
    } finally {
      await database.client.query("reset role");
    }
  });
});
