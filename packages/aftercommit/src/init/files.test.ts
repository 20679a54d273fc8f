import { describe, expect, it } from "vitest";
import { candidate } from "@/tests/helpers/install/candidate.ts";
import { declare } from "./declare.ts";
import { filesOf } from "./files.ts";

const embeddingOf = (table: string) => ({
  candidate: candidate(table),
  key: "id",
  text: ["title", "body"] as const,
});
const project = { app: "app", hasTriggerBuild: true };
const textOf = (path: string, table: string) =>
  filesOf(declare({ embedding: embeddingOf(table) }), project).find((file) => file.path === path)?.text;

describe("aftercommit.config.ts", () => {
  it("declares a table with what is not the default", () => {
    expect(textOf("aftercommit.config.ts", "posts")).toBe(`import { defineEmbedding } from "aftercommit";

/** These rows are embedded, so that they can be searched by meaning. */
export const posts = defineEmbedding({
  row: "post",
  table: "public.posts",
  key: "id",
  text: ["title", "body"],
  columns: ["title"],
});
`);
  });

  it("has the plural of a table that does not form it with an s, which its tasks are named after", () => {
    expect(textOf("aftercommit.config.ts", "categories")).toContain(
      `  row: "category",\n  rows: "categories",\n`,
    );
    expect(textOf("trigger/aftercommit.ts", "categories")).toContain("createEmbeddingsForCategories =");
  });
});
