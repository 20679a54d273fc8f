import { expect } from "vitest";
import { inspect } from "../../../packages/aftercommit/src/catalog/inspect.ts";
import type { Declaration } from "../../../packages/aftercommit/src/declare/declaration.ts";
import { defineEmbedding } from "../../../packages/aftercommit/src/define.ts";
import { emptyDatabase } from "./empty-database.ts";

export const POSTS = `create table posts (id bigint generated always as identity primary key, title text not null, body text,
  "authorId" text, published boolean not null default false, created_at timestamptz not null default now());`;

export type Options = Partial<Parameters<typeof defineEmbedding>[0]>;

export const post = (options: Options = {}) =>
  defineEmbedding({ row: "post", table: "public.posts", key: "id", text: ["title", "body"], ...options });

/** A database that is empty before each test, and what `inspect` finds there after some SQL has run. */
export function inspectionsForTests() {
  const database = emptyDatabase();

  async function problemsOf(sql: string, declaration: Declaration): Promise<string[]> {
    await database.client.query(sql);
    const { problems } = await inspect(database.client, declaration);
    return problems.map(({ message }) => message);
  }

  /** The only problem, without the place in the file. */
  async function problemOf(sql: string, declaration: Declaration): Promise<string> {
    const problems = await problemsOf(sql, declaration);
    expect(problems).toHaveLength(1);
    const [problem = ""] = problems;
    const [, text] = /^aftercommit\.config\.ts, define\w+\(\{ row: "[\w-]+" \}\), (.*)$/s.exec(problem) ?? [];
    return text ?? problem;
  }

  return { database, problemsOf, problemOf };
}
