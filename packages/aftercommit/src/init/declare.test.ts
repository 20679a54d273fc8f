import { expect, it } from "vitest";
import { candidate } from "@/tests/helpers/install/candidate.ts";
import { declare } from "./declare.ts";
import type { Candidate } from "./propose.ts";

const embedding = (of: Candidate) => ({ candidate: of, key: of.key, text: ["title"] as const });
const deletion = (of: Candidate) => ({ candidate: of, email: undefined });

it("names declarations after their tables", () => {
  const posts = candidate("blog_posts", { schema: "blog" });
  expect(declare({ embedding: embedding(posts), deletion: deletion(candidate("users")) })).toMatchObject([
    { name: "blogPosts", declaration: { row: "blog-post", table: { schema: "blog", name: "blog_posts" } } },
    { name: "users", declaration: { row: "user", table: { schema: "public", name: "users" } } },
  ]);
});

it("declares one table twice under different names, and leaves the deletion's to the external systems", () => {
  const users = candidate("users");
  for (const other of [users, candidate("users", { schema: "auth" }), candidate("User")])
    expect(declare({ embedding: embedding(other), deletion: deletion(users) })).toMatchObject([
      { name: "userTexts", declaration: { row: "user-text", rows: "user-texts" } },
      { name: "users", declaration: { row: "user" } },
    ]);
});
