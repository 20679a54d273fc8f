import { expect, it } from "vitest";
import { candidate } from "@/tests/helpers/install/candidate.ts";
import { emptyDatabase } from "@/tests/helpers/migrate/empty-database.ts";
import { proposeDeletion, proposeEmbedding, readCandidates } from "./propose.ts";

const database = emptyDatabase();

async function candidatesOf(sql: string) {
  await database.client.query(sql);
  return readCandidates(database.client);
}

it("reads the tables with a key of one column, and what could be their text and address", async () => {
  const found = await candidatesOf(`
    create table members (id uuid primary key, full_name text, email text, about text);
    create table likes (post_id int, member_id int, primary key (post_id, member_id));
    create table posts (slug varchar(30) primary key, title text, image_url text, body varchar, views int)`);
  expect(found).toEqual([
    candidate("members", { email: "email", text: ["about"] }),
    candidate("posts", { key: "slug", text: ["title", "body"] }),
  ]);
});

it("leaves out the tables of migrations, which a database without statistics has first", async () => {
  const found = await candidatesOf(`
    create table _prisma_migrations (id varchar(36) primary key, migration_name varchar(255), logs text);
    create table "SequelizeMeta" (name varchar(255) primary key);
    create schema drizzle; create table drizzle.__drizzle_migrations (id serial primary key, hash text);
    create table "Post" (id text primary key, content text)`);
  expect(found).toEqual([candidate("Post", { text: ["content"] })]);
});

it("proposes to search the table with the most columns named like prose, in the first schema with a text", () => {
  const logs = candidate("logs", { text: ["message"] });
  const comments = candidate("comments", { text: ["body"] });
  const posts = candidate("posts", { text: ["Title", "Body"] });
  const buckets = candidate("buckets", { schema: "storage", text: ["description"] });
  expect(proposeEmbedding([candidate("orders"), logs, comments, buckets])).toBe(comments);
  expect(proposeEmbedding([comments, posts, logs])).toBe(posts);
  expect(proposeEmbedding([logs, buckets])).toBe(logs);
  expect(proposeEmbedding([candidate("orders")])).toBeUndefined();
});

it("proposes to clean up after people with an address", () => {
  const accounts = candidate("accounts", { email: "email" });
  expect(proposeDeletion([candidate("users"), candidate("leads", { email: "email" }), accounts])).toBe(
    accounts,
  );
});
