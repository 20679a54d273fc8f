import { expect, it } from "vitest";
import { rowOf, variableOf } from "./names.ts";

it.each([
  ["posts", "post", "posts"],
  ["blog_posts", "blog-post", "blogPosts"],
  ["BlogPost", "blog-post", "blogPost"],
  ["categories", "category", "categories"],
  ["address", "address", "address"],
  ["addresses", "address", "addresses"],
  ["_2nd_notes", "nd-note", "ndNotes"],
])("names a row and the declaration of %s", (table, row, variable) => {
  expect([rowOf(table), variableOf(table)]).toEqual([row, variable]);
});

it.each(["package", "Case", "class", "import", "enum", "function", "await", "eval", "config", "serve"])(
  "makes a variable that compiles of %s",
  (table) => {
    expect(variableOf(table)).toBe(`${table.toLowerCase()}Rows`);
  },
);
