import { expect, it } from "vitest";
import { candidate } from "@/tests/helpers/install/candidate.ts";
import { type Ask, askTables } from "./ask.ts";

const posts = candidate("posts", { text: ["title", "body"] });
const users = candidate("users", { email: "email" });
const notes = candidate("notes", { schema: "blog", text: ["note"] });

const accept: Ask = async (_, proposal) => proposal;

it("takes every proposal that is accepted", async () => {
  expect(await askTables([users, posts], {}, accept)).toEqual({
    embedding: { candidate: posts, key: "id", text: ["title", "body"] },
    deletion: { candidate: users, email: "email" },
  });
});

it("asks nothing that a flag answers", async () => {
  const ask: Ask = (question) => Promise.reject(new Error(question));
  const flags = { table: "blog.notes", key: "slug", text: "title, note", "delete-table": "none" };
  expect(await askTables([posts, notes], flags, ask)).toEqual({
    embedding: { candidate: notes, key: "slug", text: ["title", "note"] },
    deletion: undefined,
  });
});

it("proposes no table where none fits", async () => {
  expect(await askTables([candidate("orders")], {}, accept)).toEqual({
    embedding: undefined,
    deletion: undefined,
  });
});

it("names the tables that there are if a flag names another", async () => {
  await expect(askTables([posts, notes], { table: "post" }, accept)).rejects.toThrow(
    "--table: there is no table post with a primary key of one column (there are: posts, blog.notes)",
  );
});

it("asks for the columns of a table without likely text", async () => {
  await expect(askTables([users], { table: "users" }, accept)).rejects.toThrow(
    "--text: users has no column that is likely its text",
  );
});
