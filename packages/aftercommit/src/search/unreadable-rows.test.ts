import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { searchForTests } from "@/tests/helpers/searchable-posts.ts";
import { InvalidSearchError } from "./options.ts";
import { search } from "./search.ts";
import { similar } from "./similar.ts";
import { SearchUnavailableError } from "./unavailable.ts";

const chosen = { ...posts, where: "author = 'Alice' or author::boolean", filters: ["author", "created_at"] };
const { insertEmbedded, database, declare } = searchForTests();
let bad: string;

beforeAll(() => declare(chosen));
beforeEach(async () => {
  bad = await insertEmbedded({ author: "yes", body: "bread" }, chosen);
  await database.updatePost(BigInt(bad), { author: "maybe" });
});

it.each([
  ["without conditions", undefined],
  ["with a condition", { created_at: { gte: "2020-01-01" } }],
])(
  "a search %s that comes to a row on which `where` fails says so, and only the log shows the row's value",
  async (_, where) => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const error = await search(chosen, { query: "bread", mode: "words", ...(where && { where }) }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SearchUnavailableError);
    expect(error).toMatchObject({
      message: "aftercommit.config.ts: where of post cannot be evaluated on a row",
    });
    expect(logged.mock.calls.join()).toContain('type boolean: \\"maybe\\"');
    logged.mockRestore();
  },
);

it("a condition that is invalid is named, with the value that the caller gave, whatever rows there are", async () => {
  const where = { created_at: "yesterday noon" };
  const message = 'where: invalid input syntax for type timestamp with time zone: "yesterday noon"';
  for (const asked of [
    () => search(chosen, { query: "bread", where }),
    () => search(chosen, { query: "bread", where, mode: "words" }),
    () => similar(chosen, bad, { where }),
  ])
    await expect(asked()).rejects.toThrow(new InvalidSearchError(message));
});
