import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { idsOf, searchForTests } from "@/tests/helpers/searchable-posts.ts";
import { InvalidSearchError, RowNotFoundError } from "./options.ts";
import { similar } from "./similar.ts";

const { insertEmbedded, insert, askSimilar, database, provider } = searchForTests();

const bread = (more = "") => insertEmbedded({ title: "Baking", body: `Bread with flour and water. ${more}` });

describe("the rows similar to a row", () => {
  it("are the nearest in meaning, nearest first, without the row itself", async () => {
    const id = await bread();
    const near = await bread("And salt.");
    const far = await insertEmbedded({ title: "Gardening", body: "Tulips beside a wall." });
    const page = await similar(posts, id);
    expect(idsOf(page)).toEqual([near, far]);
    expect(page.results[0]).toMatchObject({
      columns: { title: "Baking", author: "Alice" },
      passage: "Baking\n\nBread with flour and water. And salt.",
      highlight: "Baking\n\nBread with flour and water. And salt.",
      matched: ["meaning"],
    });
    expect(page.results[0]?.score).toBeGreaterThan(page.results[1]?.score ?? 1);
    expect(page.next).toBeNull();
    expect((await askSimilar({ id })).body).toEqual(page);
  });

  it("are compared with all passages of a long row", async () => {
    const part = (word: string) => `${word} `.repeat(900);
    const id = await insertEmbedded({ title: "Long", body: `${part("bread")}\n\n${part("tulip")}` });
    expect(await database.embeddingsOf(BigInt(id))).not.toHaveLength(1);
    const [first, last] = [await insertEmbedded({ body: "bread" }), await insertEmbedded({ body: "tulip" })];
    const other = await insertEmbedded({ title: "Engines", body: "Pistons and valves." });
    const ids = idsOf(await similar(posts, id));
    expect(ids.slice(0, 2).toSorted()).toEqual([first, last].toSorted());
    expect(ids[2]).toBe(other);
  });

  it("meet the conditions, the minimum score, and come page by page", async () => {
    const id = await bread();
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push(await bread(`More ${"salt ".repeat(n)}`));
    const janes = await insertEmbedded({ title: "Gardening", body: "Tulips.", author: "Jane" });
    expect(idsOf(await similar(posts, id, { where: { author: "Jane" } }))).toEqual([janes]);
    expect((await askSimilar(`id=${id}&where[author]=Jane`)).body.results).toHaveLength(1);
    const all = await similar(posts, id);
    expect(all.results).toHaveLength(6);
    const first = await similar(posts, id, { limit: 4 });
    const second = await similar(posts, id, { limit: 4, after: first.next ?? "" });
    expect([...first.results, ...second.results]).toEqual(all.results);
    expect(second.next).toBeNull();
    const minScore = all.results[4]?.score ?? 0;
    expect(idsOf(await similar(posts, id, { minScore }))).not.toContain(janes);
    await expect(similar(posts, ids[0] ?? "", { limit: 4, after: first.next ?? "" })).rejects.toThrow(
      InvalidSearchError,
    );
  });

  it("are found without the provider, while it refuses everything", async () => {
    const [id, near] = [await bread(), await bread("And salt.")];
    const { calls } = await provider.stats();
    await provider.fail({ status: 500 });
    await database.db.execute(sql`update aftercommit.models set paused_until = now() + interval '1 hour'`);
    expect(idsOf(await similar(posts, id))).toEqual([near]);
    await database.db.execute(sql`update aftercommit.models set paused_until = null`);
    await provider.works();
    expect((await provider.stats()).calls).toBe(calls);
  });

  it("are those of the row as text: 01 is 1", async () => {
    const [id, near] = [await bread(), await bread("And salt.")];
    expect(idsOf(await similar(posts, `0${id}`))).toEqual([near]);
  });
});

describe("a request for similar rows", () => {
  it.each(["999999999", "x", "1e3", "99999999999999999999", "\0"])(
    "is answered 404 for an id that no row has: %j",
    async (id) => {
      expect(await askSimilar({ id })).toEqual({
        status: 404,
        body: { error: `id: there is no post ${id}` },
      });
    },
  );

  it("is answered 404 for a row that is not embedded, deleted or blank", async () => {
    const waiting = await insert({ body: "Bread." });
    const error = `id: post ${waiting} is not embedded yet, or its text is blank`;
    expect(await askSimilar({ id: waiting })).toEqual({ status: 404, body: { error } });
    const blank = await insertEmbedded({ title: "", body: " " }).catch(() => "");
    expect((await askSimilar({ id: blank || waiting })).status).toBe(404);
    const id = await bread();
    await database.deletePost(BigInt(id));
    await expect(similar(posts, id)).rejects.toThrow(RowNotFoundError);
  });

  it("is answered 400 without an id, and for an unknown table or column", async () => {
    expect(await askSimilar("in=posts")).toEqual({
      status: 400,
      body: { error: "id: must be the key of a row" },
    });
    expect((await askSimilar("in=users&id=1")).status).toBe(400);
    expect((await askSimilar("id=1&where[title]=x")).body.error).toContain("there are author, created_at");
  });
});
