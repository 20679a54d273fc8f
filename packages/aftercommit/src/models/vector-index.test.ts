import { afterAll, beforeAll, expect, it } from "vitest";
import { startMigratedPostgres } from "@/tests/helpers/postgres.ts";
import { runOn } from "@/tests/helpers/real-postgres.ts";
import { quoted, type TableName } from "../db/identifiers.ts";
import { withLongConnection } from "../db/long-connection.ts";
import { buildVectorIndex, dropVectorIndex } from "./vector-index.ts";

const model = { id: 7, dimensions: 3, indexType: "vector" } as const;
const tableOf = (name: string): TableName => ({ schema: "public", name });

let database: Awaited<ReturnType<typeof startMigratedPostgres>>;
beforeAll(async () => {
  database = await startMigratedPostgres();
});
afterAll(() => database.close());

const create = (table: TableName) => `create table ${quoted(table)} (model_id int, embedding halfvec)`;
const build = (table: TableName) =>
  withLongConnection(database.url, (client) => buildVectorIndex(client, table, model));
const indexesOf = (table: TableName) =>
  withLongConnection(database.url, async (client) => {
    const { rowCount } = await client.query("select from pg_index where indrelid = to_regclass($1)", [
      quoted(table),
    ]);
    return rowCount;
  });

it("has a name for each table, however long and alike the tables' names are", async () => {
  const [first, second] = [tableOf(`${"x".repeat(60)}_a`), tableOf(`${"x".repeat(60)}_b`)];
  await runOn(database.url, [create(first), create(second)]);
  for (const table of [first, second]) await build(table);
  expect([await indexesOf(first), await indexesOf(second)]).toEqual([1, 1]);
  await withLongConnection(database.url, (client) => dropVectorIndex(client, first, model));
  expect([await indexesOf(first), await indexesOf(second)]).toEqual([0, 1]);
});

it("is not taken for built if the index of this name is of a table that was renamed", async () => {
  const table = tableOf("note_embeddings");
  await runOn(database.url, [create(table)]);
  await build(table);
  await runOn(database.url, ["alter table note_embeddings rename to old_embeddings", create(table)]);
  await expect(build(table)).rejects.toThrow('relation "note_embeddings_model_7" already exists');
});
