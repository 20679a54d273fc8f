import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { MODEL, paragraphs } from "@/tests/helpers/embedding.ts";
import { refuse } from "@/tests/helpers/providers/strict-provider.ts";
import { modelChangeForTests, NEW, UNCHANGED } from "@/tests/helpers/reembed/changing-model.ts";
import type { Model } from "../models/models.ts";
import { enqueueRows, ModelChangeError, stopBuilding } from "./change-model.ts";

const tests = modelChangeForTests();
const { database, provider, source, change, work, pending, inputs, insertPosts, embedPost } = tests;
const { begin, begun, built, states, modelsOf } = tests;
const { updatePost, embeddingsOf } = database;

describe("a new model is registered", () => {
  it("after it has embedded real rows, the longest among them", async () => {
    await insertPosts(20);
    await insertPosts(1, () => paragraphs(3));
    expect(await begun()).toMatchObject({ from: { name: MODEL.name }, to: { name: NEW, state: "building" } });
    expect(provider.requests.map(({ model }) => model)).toEqual([NEW]);
    expect(inputs().some((input) => input.includes("Paragraph 2"))).toBe(true);
    expect(await states()).toEqual([...UNCHANGED, [NEW, "building"]]);
  });

  it("and is not if it only accepts texts of 512 tokens: nothing is registered then", async () => {
    await insertPosts(5, (n) => (n === 3 ? paragraphs(1) : "short"));
    provider.rule = ({ input }) =>
      input.some((text) => text.length > 2_000) ? refuse("maximum context length is 512 tokens") : undefined;
    await expect(begin()).rejects.toThrow(ModelChangeError);
    await expect(begin()).rejects.toThrow("512 tokens");
    expect(await states()).toEqual(UNCHANGED);
  });

  it("and is not if no index takes vectors as wide: it is asked for nothing then", async () => {
    await expect(begin(NEW, 4_001)).rejects.toThrow("ask for fewer by --dimensions");
    expect(provider.requests).toEqual([]);
    expect(await states()).toEqual(UNCHANGED);
  });

  it("with an index of half floats, if its vectors are too wide for another", async () => {
    expect((await begin(NEW, 2_001))?.to).toMatchObject({ indexType: "halfvec" });
  });

  it("and is not if it is already active", async () => {
    expect(await begin(MODEL.name)).toBeUndefined();
    expect(await states()).toEqual(UNCHANGED);
    expect(provider.requests).toEqual([]);
  });

  it("once, and continues where it stopped when it is requested again", async () => {
    const { to } = await built();
    provider.requests = [];
    expect((await begin())?.to).toMatchObject({ id: to.id, isComplete: true });
    expect(provider.requests).toEqual([]);
  });

  it("and is not while another is being built: the error names the commands that end that", async () => {
    await begin();
    const other = begin("another");
    await expect(other).rejects.toThrow(`npx aftercommit reembed --model ${NEW}`);
    await expect(other).rejects.toThrow("npx aftercommit reembed --stop");
    await stopBuilding(database.db);
    expect((await begin("another"))?.to).toMatchObject({ state: "building" });
    expect(await states()).toEqual([...UNCHANGED, [NEW, "retired"], ["another", "building"]]);
  });
});

describe("while a new model is built", () => {
  it("all rows that lack it are put into the inbox, and existing entries get a new version", async () => {
    const [embedded = "", edited = ""] = await insertPosts(2);
    await work([embedded]);
    await change([edited], "realtime");
    const version = async () =>
      (await database.db.execute(sql`select version from aftercommit.pending where row_id = ${edited}`)).rows;
    const before = await version();
    const { from, to } = await begun();
    await enqueueRows(database.db, await source(), { from, to });
    expect(await pending()).toMatchObject([
      { id: embedded, queue: "batch" },
      { id: edited, queue: "realtime" },
    ]);
    expect(await version()).not.toEqual(before);
  });

  it("an edit writes the active one only, and the entry stays for the drain", async () => {
    const { to } = await begun();
    const [id = ""] = await insertPosts(1);
    await change([id]);
    expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 1 });
    expect(await modelsOf(id)).toEqual([1]);
    expect(await pending()).toMatchObject([{ id, queue: "batch", leased: false }]);
    await work();
    expect(await modelsOf(id)).toEqual([1, to.id]);
    expect(await pending()).toEqual([]);
  });

  it("and has had every row once, an edit writes both together", async () => {
    const [id = ""] = await insertPosts(1);
    await work([id]);
    const { to } = await built();
    await updatePost(BigInt(id), { body: "newer" });
    expect(await embedPost(id)).toMatchObject({ status: "embedded", chunks: 2 });
    expect(await modelsOf(id)).toEqual([1, to.id]);
    const hashes = (await embeddingsOf(BigInt(id))).map(({ textHash }) => textHash);
    expect(new Set(hashes).size).toBe(1);
    expect(await pending()).toEqual([]);
  });

  it("it starts, a worker that does not know it yet does not end the row", async () => {
    const [id = ""] = await insertPosts(1);
    let model: Model | undefined;
    provider.rule = async (asked) => {
      if (asked.model === MODEL.name && !model) model = (await begun()).to;
      return undefined;
    };
    await work([id]);
    expect(await pending()).toMatchObject([{ id, leased: false, attempts: 0 }]);
    await work();
    expect(await modelsOf(id)).toEqual([1, model?.id]);
  });

  it("the database has at most one active model and one that is being built", async () => {
    await begun();
    for (const state of ["active", "building"])
      await expect(
        database.db.execute(sql`insert into aftercommit.models (name, dimensions, chunker, state, index_type)
          values ('third', 8, 1, ${state}, 'halfvec')`),
      ).rejects.toThrow();
  });
});
