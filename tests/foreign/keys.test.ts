import { beforeAll, expect, it } from "vitest";
import type { EmbeddingDeclaration } from "../../packages/aftercommit/src/declare/declaration.ts";
import { defineEmbedding } from "../../packages/aftercommit/src/define.ts";
import { appForTests } from "../helpers/foreign/app.ts";
import { commitOf } from "../helpers/foreign/messages.ts";

const declared = (row: string) =>
  defineEmbedding({ row, table: `public.${row}s`, key: "id", text: ["title"] });
const [accounts, tokens, slugs] = [declared("account"), declared("token"), declared("slug")];

const app = appForTests([accounts, tokens, slugs], {
  tables: (client) =>
    client.query(`
      create table accounts (id bigint primary key, title text not null);
      create table tokens (id uuid primary key, title text not null);
      create table slugs (id text primary key, title text not null)`),
});
beforeAll(() => app.migrate());

/**
 * Inserts rows with these keys, delivers one message, executes what it triggered, and returns the keys with vectors.
 */
async function embed(
  declaration: EmbeddingDeclaration,
  ids: readonly string[],
  records: readonly { record: Record<string, unknown>; key?: string }[],
) {
  const { name } = declaration.table;
  for (const id of ids)
    await app.client.query(`insert into ${name} values ($1, $2)`, [id, `A title of ${id}`]);
  const messages = records.map((record) => ({ action: "insert" as const, ...record }));
  const answer = await app.deliver(declaration, commitOf(declaration, messages));
  await app.workOff();
  return { ...answer, embedded: await app.embedded(declaration), pending: await app.pending(declaration) };
}

it("a bigint beyond 2^53 keeps its last digit, though JSON rounds it", async () => {
  const ids = ["9007199254740993", "9223372036854775807", "-9223372036854775808", "9007199254740992"];
  const records = ids.map((key) => ({ record: { id: Number(key) }, key }));
  const { embedded, pending } = await embed(accounts, ids, records);
  expect(embedded).toEqual(ids.toSorted());
  expect(pending).toEqual([]);
});

it("an invalid bigint is rejected, and its batch is processed", async () => {
  const records = [
    { record: { id: null } },
    { record: { id: 42 } },
    { record: { id: "043" }, key: "43" },
    { record: { id: 1.5 } },
    { record: { id: "99999999999999999999" } },
  ];
  const { status, body, embedded } = await embed(accounts, ["42", "43"], records);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    rejected: 3,
    errors: [{ at: "data[0].record.id" }, { at: "data[3].record.id" }, { at: "data[4].record.id" }],
  });
  expect(embedded).toEqual(expect.arrayContaining(["42", "43"]));
});

it("a uuid in uppercase is the row's, and an invalid uuid does not fail its batch", async () => {
  const id = "20f5cc55-b218-4aad-8fa7-ef7556575776";
  const records = [{ record: { id: id.toUpperCase() } }, { record: { id: "no uuid" } }, { record: { id } }];
  const { status, body, embedded, pending } = await embed(tokens, [id], records);
  expect(status).toBe(200);
  expect(body).toMatchObject({ rejected: 1, errors: [{ at: "data[1].record.id" }] });
  expect({ embedded, pending }).toEqual({ embedded: [id], pending: [] });
});

it("texts with spaces, quotes, commas, braces and any script are keys, and one with NUL does not fail its batch", async () => {
  const ids = [
    " a  b ",
    `it's "quoted"`,
    "{a,b}",
    "a\\b",
    "null",
    "",
    "ключ/鍵/🗝️",
    "A",
    "a",
    "%_;--",
    "line\nbreak",
    "x".repeat(500),
  ];
  const records = [...ids, "NUL \0", "\ud800", "x".repeat(501)].map((id) => ({ record: { id } }));
  const { status, body, embedded, pending } = await embed(slugs, ids, records);
  expect(status).toBe(200);
  expect(body).toMatchObject({ rejected: 3 });
  expect(new Set(embedded)).toEqual(new Set(ids));
  expect(pending).toEqual([]);
  for (const id of ids) await app.client.query("delete from slugs where id = $1", [id]);
  const deletions = ids.map((id) => ({ action: "delete" as const, record: { id } }));
  await app.deliver(slugs, commitOf(slugs, deletions));
  await app.workOff();
  expect(await app.embedded(slugs)).toEqual([]);
});
