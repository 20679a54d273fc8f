import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { MODEL } from "@/tests/helpers/embedding.ts";
import { refuse } from "@/tests/helpers/providers/strict-provider.ts";
import { modelChangeForTests, NEW, UNCHANGED } from "@/tests/helpers/reembed/changing-model.ts";
import { retireModels } from "../models/retire-models.ts";
import { search } from "../search/search.ts";
import { enqueueRows, ModelChangeError, stopBuilding } from "./change-model.ts";

const tests = modelChangeForTests();
const { database, provider, source, change, work, pending, insertPosts, embedPost } = tests;
const { begin, begun, built, switchTo, states, modelsOf } = tests;
const { updatePost, embeddingsOf } = database;

describe("the switch", () => {
  it("makes search use the new model, and keeps the vectors of the previous one", async () => {
    const [id = ""] = await insertPosts(1);
    await work([id]);
    const { from, to } = await built();
    await switchTo(to, from);
    expect(await states()).toEqual([
      [MODEL.name, "retired"],
      [NEW, "active"],
    ]);
    expect(await modelsOf(id)).toEqual([1, to.id]);
  });

  it("fails while rows lack vectors by the new model, or have those of another text; it names them and why", async () => {
    const [good = "", stale = "", poison = ""] = await insertPosts(3);
    await work([good, stale, poison]);
    const { from, to } = await begun();
    provider.rule = ({ input }) => {
      const place = input.findIndex((text) => text.includes("Body 2"));
      return place === -1 ? undefined : refuse("too long", `input[${place}]`);
    };
    await enqueueRows(database.db, await source(), { from, to });
    await database.db.execute(sql`delete from aftercommit.pending where row_id = ${stale}`);
    await work();
    const refused = switchTo(to, from);
    await expect(refused).rejects.toThrow(ModelChangeError);
    await expect(refused).rejects.toThrow("2 rows");
    await expect(refused).rejects.toThrow(`post ${poison}: 400 too long`);
    await expect(refused).rejects.toThrow(`post ${stale}: not embedded yet`);
    await expect(refused).rejects.toThrow("--accept-missing 2");
    await expect(switchTo(to, from, 1)).rejects.toThrow(ModelChangeError);
    expect(await states()).toEqual([...UNCHANGED, [NEW, "building"]]);
    await switchTo(to, from, 2);
    expect(await states()).toEqual([
      [MODEL.name, "retired"],
      [NEW, "active"],
    ]);
  });

  it("does not wait for rows that the active model lacks as well, nor for blank ones", async () => {
    const blank = String(await database.insertPost({ title: "", body: "" }));
    await work([blank]);
    const { from, to } = await built();
    await insertPosts(1);
    await switchTo(to, from);
    expect((await states())[1]).toEqual([NEW, "active"]);
  });

  it("fails if the model was stopped or deleted in the meantime", async () => {
    const { from, to } = await built();
    await stopBuilding(database.db);
    await expect(switchTo(to, from)).rejects.toThrow("is not being built any more");
    await database.db.execute(sql`delete from aftercommit.models where id = ${to.id}`);
    await expect(switchTo(to, from)).rejects.toThrow("is not being built any more");
    expect(await states()).toEqual(UNCHANGED);
  });

  it("during an edit repeats the edit with the model that is active then", async () => {
    const [id = ""] = await insertPosts(1);
    await work([id]);
    const { from, to } = await built();
    await updatePost(BigInt(id), { body: "newer" });
    await change([id]);
    let switched = false;
    provider.rule = async () => {
      if (!switched) await switchTo(to, from);
      switched = true;
      return undefined;
    };
    expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 1 });
    const [old, present] = await embeddingsOf(BigInt(id));
    expect([old?.modelId, present?.modelId]).toEqual([1, to.id]);
    expect(old?.textHash).not.toBe(present?.textHash);
    const { rows } = await database.db.execute(
      sql`select md5('1000:' || title || E'\n\n' || body)::uuid as hash from posts where id = ${id}`,
    );
    expect(rows).toEqual([{ hash: present?.textHash }]);
    expect(await pending()).toEqual([]);
  });

  it("during a search makes that search use the new model", async () => {
    const [id = ""] = await insertPosts(1);
    await work([id]);
    const { from, to } = await built();
    let switched = false;
    provider.rule = async () => {
      if (switched) return undefined;
      switched = true;
      await switchTo(to, from);
      await database.db.execute(sql`delete from post_embeddings where model_id = 1`);
      return undefined;
    };
    const found = await search({ ...posts, minScore: 0 }, { mode: "meaning", query: "what takes its time" });
    expect(found.results.map((row) => row.id)).toEqual([id]);
  });
});

describe("afterwards", () => {
  it("a switch back embeds only what has changed since", async () => {
    const [same = "", edited = ""] = await insertPosts(2);
    await work([same, edited]);
    const { from, to } = await built();
    await switchTo(to, from);
    await updatePost(BigInt(edited), { body: "newer" });
    const [added = ""] = await insertPosts(1);
    await work([edited, added]);
    const back = (await begin(MODEL.name)) ?? expect.fail("nothing was begun");
    expect(back.to).toMatchObject({ id: 1, isComplete: false });
    await enqueueRows(database.db, await source(), back);
    expect((await pending()).map(({ id }) => id)).toEqual([edited, added]);
    provider.requests = [];
    await work();
    expect(provider.requests.map(({ model, input }) => [model, input.length])).toEqual([[MODEL.name, 2]]);
    await switchTo(back.to, back.from);
    expect(await states()).toEqual([
      [MODEL.name, "active"],
      [NEW, "retired"],
    ]);
    expect(await modelsOf(same)).toContain(1);
  });

  it("retired models are deleted with their vectors, also of tables that are not declared, and the others stay", async () => {
    const ids = await insertPosts(3);
    await work(ids);
    await database.db.execute(sql`
      create table old_embeddings (id int, model_id int not null references aftercommit.models);
      insert into old_embeddings values (1, 1)`);
    const { from, to } = await built();
    await switchTo(to, from);
    const url = process.env.DATABASE_URL ?? "";
    expect(await retireModels(database.db, { url })).toEqual([MODEL.name]);
    expect(await states()).toEqual([[NEW, "active"]]);
    for (const id of ids) expect(await modelsOf(id)).toEqual([to.id]);
    expect(await retireModels(database.db, { url })).toEqual([]);
    expect((await database.db.execute(sql`select from old_embeddings`)).rows).toEqual([]);
    // The other tests use the first model.
    await database.db.execute(sql`drop table old_embeddings`);
    await database.db.execute(sql`truncate post_embeddings`);
    await database.db.execute(sql`insert into aftercommit.models (id, name, dimensions, chunker, state, index_type)
      overriding system value values (1, ${MODEL.name}, 8, ${MODEL.chunker}, 'retired', 'vector')`);
  });
});
