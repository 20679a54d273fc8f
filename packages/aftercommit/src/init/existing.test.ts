import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { candidate } from "@/tests/helpers/install/candidate.ts";
import { defineDeletion, defineEmbedding } from "../define.ts";
import { declare } from "./declare.ts";
import { asDeclared, otherTasks } from "./existing.ts";

const embedding = (table: string) => ({ candidate: candidate(table), key: "id", text: ["body"] as const });
const articles = defineEmbedding({ row: "article", table: "public.posts", key: "id", text: ["title"] });

it("takes a declaration of the same table as it is in an existing file, under its name there", () => {
  const users = defineDeletion({ row: "user", table: "public.users", key: "id" });
  const other = { articles, users, note: "not a declaration" };
  expect(asDeclared(declare({ embedding: embedding("posts") }), other)).toEqual([
    { name: "articles", declaration: articles },
  ]);
});

it("stops with the lines to add if an existing file lacks a declaration", () => {
  const deletion = { candidate: candidate("posts"), email: undefined };
  const wanted = declare({ embedding: embedding("comments"), deletion });
  const work = () => asDeclared(wanted, { articles });
  expect(work).toThrow("does not declare comments and posts. Nothing is written.");
  expect(work).toThrow('export const comments = defineEmbedding({\n  row: "comment",');
  expect(work).toThrow("export const createEmbeddingForComment = embedOneTask(comments);");
  expect(work).not.toThrow("articles");
});

it("stops if a declaration would share its row with another of the file", () => {
  const posts = defineDeletion({ row: "comment", table: "public.reviews", key: "id" });
  expect(() => asDeclared(declare({ embedding: embedding("comments") }), { posts })).toThrow(
    'embedding of "comment", row: is the name of another declaration',
  );
});

it("finds another file with tasks, so that none is written a second time", () => {
  const project = mkdtempSync(join(tmpdir(), "init-"));
  try {
    expect(otherTasks(project)).toBeUndefined();
    mkdirSync(join(project, "trigger/posts"), { recursive: true });
    const text = 'export { embedOneTask } from "aftercommit/trigger";';
    writeFileSync(join(project, "trigger/aftercommit.ts"), text);
    writeFileSync(join(project, "trigger/hello.ts"), "export {};");
    expect(otherTasks(project)).toBeUndefined();
    writeFileSync(join(project, "trigger/posts/embed.ts"), text);
    expect(otherTasks(project)).toBe(join("trigger", "posts/embed.ts"));
  } finally {
    rmSync(project, { recursive: true });
  }
});
