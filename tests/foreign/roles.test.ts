import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connect } from "../../packages/aftercommit/src/db/client.ts";
import { withLongConnection } from "../../packages/aftercommit/src/db/long-connection.ts";
import { defineEmbedding } from "../../packages/aftercommit/src/define.ts";
import { embedOne } from "../../packages/aftercommit/src/embeddings/embed-one.ts";
import { lookAfter } from "../../packages/aftercommit/src/embeddings/look-after.ts";
import { reconcile } from "../../packages/aftercommit/src/embeddings/reconcile.ts";
import { readModelsInUse } from "../../packages/aftercommit/src/models/models.ts";
import { buildVectorIndex } from "../../packages/aftercommit/src/models/vector-index.ts";
import { search } from "../../packages/aftercommit/src/search/search.ts";
import { sourceOf } from "../../packages/aftercommit/src/source.ts";
import { appForTests } from "../helpers/foreign/app.ts";
import { commitOf, rowOf } from "../helpers/foreign/messages.ts";
import { ROLES, urlAs } from "../helpers/foreign/roles.ts";
import { drainOf } from "../helpers/foreign/runs.ts";
import { realPostgres } from "../helpers/real-postgres.ts";

const declared = { key: "id", text: ["title"], columns: ["title"] } as const;
const notes = defineEmbedding({ row: "note", table: "public.notes", ...declared });
const secrets = defineEmbedding({ row: "secret", table: "public.secrets", ...declared });

// The Postgres emulator has no roles.
describe.runIf(realPostgres)("the roles that migrate prints", () => {
  const app = appForTests([notes, secrets], {
    leastPrivileges: true,
    tables: (client) =>
      client.query(`
        create table notes (id integer primary key, title text);
        create table secrets (id uuid primary key, title text);
        alter table secrets enable row level security;
        create policy nobody on secrets using (false);
        create table others (id integer primary key)`),
  });
  const clients = new Map<string, Client>();

  beforeAll(async () => {
    await app.migrate();
    for (const role of ROLES) {
      const client = new Client({ connectionString: urlAs(app.url, role) });
      await client.connect();
      clients.set(role, client);
    }
  });
  afterAll(() => Promise.all([...clients.values()].map((client) => client.end())));

  const as = (role: (typeof ROLES)[number], statement: string) =>
    clients
      .get(role)
      ?.query(statement)
      .catch(({ code }: { code: string }) => code);

  it.each(ROLES)("%s reads the declared tables and does nothing else to them", async (role) => {
    for (const table of ["notes", "secrets"]) {
      expect(await as(role, `select * from ${table}`)).toMatchObject({ rows: [] });
      for (const statement of [
        `insert into ${table} (title) values ('x')`,
        `update ${table} set title = 'x'`,
        `delete from ${table}`,
        `truncate ${table}`,
        `select * from ${table} for key share`,
        `do $$ begin lock table ${table} in exclusive mode; end $$`,
        `create index on ${table} (title)`,
        `alter table ${table} add column vandalized integer`,
      ])
        expect([statement, await as(role, statement)]).toEqual([statement, "42501"]);
    }
    expect(await as(role, "select * from others")).toBe("42501");
  });

  it("give Aftercommit's tables to the app and the tasks, and none of them to Sequin", async () => {
    expect(await as("aftercommit_sequin", "select * from aftercommit.pending")).toBe("42501");
    expect(await as("aftercommit_sequin", "select * from note_embeddings")).toBe("42501");
    expect(await as("aftercommit_app", "select * from aftercommit.status")).toMatchObject({ rowCount: 2 });
  });

  it("are enough to embed, reconcile, search, and build the vector index", async () => {
    await app.client.query("insert into notes values (1, 'Cartographers draw coastlines')");
    await app.reconcile(notes);
    await app.drain(notes);
    const record = await rowOf(app.client, notes, "1");
    await app.deliver(notes, commitOf(notes, [{ record }]));
    expect(await app.workOff()).toEqual(["create-embedding-for-note"]);
    expect(await lookAfter(notes, { db: app.db })).toMatchObject({ indexed: false });
    const { active } = await readModelsInUse(app.db);
    await withLongConnection(urlAs(app.url, "aftercommit_tasks"), (client) =>
      buildVectorIndex(client, notes.embeddings, active),
    );
    expect(await app.search(notes, "coastlines")).toMatchObject([{ id: "1" }]);
  });

  describe("without the right to see the rows that a policy hides", () => {
    const id = randomUUID();
    const role = `hidden_${id.replaceAll("-", "")}`;

    beforeAll(async () => {
      await app.client.query("insert into secrets values ($1, 'Buried treasure maps')", [id]);
      await app.reconcile(secrets);
      await app.drain(secrets);
      // A role inherits another's privileges, but not that policies do not apply to it.
      await app.client.query(
        `create role ${role} login password '${role}' in role aftercommit_app, aftercommit_tasks`,
      );
    });
    afterAll(() => app.client.query(`drop role ${role}`));

    it("every read of them is an error, and no vector is deleted", async () => {
      vi.spyOn(console, "error").mockImplementation(() => {});
      const db = connect(urlAs(app.url, role));
      const hidden = {
        cause: expect.objectContaining({ message: expect.stringContaining("row-level security") }),
      };
      await app.deliver(secrets, commitOf(secrets, [{ record: { id } }]));
      await expect(embedOne(secrets, id, { db })).rejects.toMatchObject(hidden);
      await app.client.query("update aftercommit.pending set next_attempt = now()");
      await expect(drainOf(db, secrets)).rejects.toMatchObject(hidden);
      await expect(reconcile(db, await sourceOf(db, secrets), { full: true })).rejects.toMatchObject(hidden);
      await expect(search(secrets, { query: "treasure" }, { db: db.$client })).rejects.toThrow(/database/);
      expect(await app.embedded(secrets)).toEqual([id]);
      expect(await app.pending(secrets)).toMatchObject([{ rowId: id, error: null }]);
      expect(await app.search(secrets, "treasure")).toMatchObject([{ id }]);
    });
  });
});
