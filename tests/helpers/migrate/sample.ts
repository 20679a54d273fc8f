import type { Declaration } from "../../../packages/aftercommit/src/declare/declaration.ts";
import { defineDeletion, defineEmbedding, defineTrigger } from "../../../packages/aftercommit/src/define.ts";
import { migrate } from "../../../packages/aftercommit/src/migrate/migrate.ts";
import { emptyDatabase } from "./empty-database.ts";

export const model = {
  provider: "openai",
  name: "text-embedding-3-small",
  dimensions: 1_536,
  dimensionsAsked: false,
  chunker: 2,
};

export const TABLES = `create table posts (id bigint generated always as identity primary key, title text not null, body text);
  create table users (id uuid primary key, email text not null unique, "deletedAt" timestamptz);
  alter table users replica identity full;
  create schema shop; create table shop."Order" (id text primary key, total numeric check (total > 0));
  create function touch() returns trigger language plpgsql as 'begin return new; end';
  create trigger touch before update on posts for each row execute function touch();
  alter table posts enable row level security; create policy everybody on posts using (true);
  comment on table posts is 'mine'; insert into posts (title) values ('one');`;

export const POST = { row: "post", table: "public.posts", key: "id" };
export const posts = defineEmbedding({ ...POST, text: ["title", "body"] });
export const declarations: Declaration[] = [
  posts,
  defineDeletion({ row: "user", table: "public.users", key: "id", email: "email" }),
  defineTrigger({ row: "order", table: "shop.Order", key: "id", task: "send-invoice" }),
];

/** A database that is empty before each test, and `migrate` with it. */
export function migrationsForTests() {
  const database = emptyDatabase();

  async function run(these: readonly Declaration[] = declarations, { dimensions = model.dimensions } = {}) {
    const lines: string[] = [];
    const applied = await migrate({
      url: database.url,
      declarations: these,
      model: { ...model, dimensions },
      say: (line) => lines.push(line),
    });
    return { applied, lines };
  }

  const all = async (query: string) => (await database.client.query(query)).rows;

  return { database, run, all };
}
