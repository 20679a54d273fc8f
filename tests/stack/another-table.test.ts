import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, expect, it, onTestFailed } from "vitest";
import { until } from "../until.ts";
import { cloneProject } from "./clone.ts";
import { choosePorts, DevStack } from "./dev-stack.ts";
import { follow } from "./recipe.ts";

let folder: string;
let stack: DevStack;
let done: ReturnType<typeof follow>;

beforeAll(async () => {
  folder = cloneProject();
  done = follow(readFileSync("docs/embed-another-table.md", "utf8"), folder);
  stack = new DevStack(folder, await choosePorts());
  await stack.ready();
});

beforeEach(() => {
  onTestFailed(() => console.log(stack.output));
});

afterAll(async () => {
  await stack?.interrupt();
  await rm(folder, { recursive: true, force: true });
});

it("another embedded table is three new files and at most 60 lines beside its migration and its sink", () => {
  const { files, added } = done;
  expect(files).toBe(3);
  expect(added).toBeLessThanOrEqual(60 + 13);
});

it("a committed comment is embedded, and found by its meaning", async () => {
  const [post] = await stack.query<{ id: string }>("select id from posts limit 1");
  const insert = "insert into comments (post_id, text) values ($1, $2) returning id";
  const [comment] = await stack.query<{ id: string }>(insert, [
    post?.id,
    "A puppy learns to sit and to stay.",
  ]);
  await stack.query(insert, [post?.id, "Put money aside for your old age."]);
  await until(async () => (await stack.query("select from comment_embeddings")).length === 2, {
    everyMs: 200,
    what: "the embeddings of both comments",
  });
  const url = `http://127.0.0.1:${stack.ports.app}/api/search?q=training+a+dog&in=comments`;
  const { results }: { results: { id: string; snippet: string }[] } = await (await fetch(url)).json();
  expect(results[0]).toMatchObject({ id: comment?.id, snippet: "A puppy learns to sit and to stay." });
});
