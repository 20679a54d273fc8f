import { sql } from "drizzle-orm";
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFailed } from "vitest";
import { embeddingFailures } from "../../drizzle/embedding-tables.ts";
import { posts as postsTable } from "../../drizzle/schema.ts";
import { embedMany } from "../../lib/embeddings/embed-many.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { chanceOf, seed } from "../seed.ts";
import { databaseForTests } from "./database.ts";
import { lanesForTests } from "./lanes.ts";
import { itChangesTheModel } from "./model-change.ts";
import { poisoned, refuse, strictProviderForTests } from "./strict-provider.ts";
import { vectorBy, WIDTHS, wrongBy } from "./two-models.ts";

const POSTS = 2_000;
const DAMAGED = POSTS / 100;

const database = databaseForTests({ name: "model-a", dimensions: WIDTHS["model-a"] ?? 0, recipe: 1 });
const provider = strictProviderForTests(({ model }, input) => vectorBy(model, input));
const lanes = lanesForTests();

const reconcile = (...args: string[]) => lanes.start("reconcile", ...args).end();
const inputs = () => provider.requests.flatMap(({ input }) => input);
const wrong = () => wrongBy(database.db, "model-a");

beforeAll(async () => {
  const values = Array.from({ length: POSTS }, (_, n) => ({ title: "Post", body: `Body ${n}`, author: "A" }));
  const rows = await database.db.insert(postsTable).values(values).returning({ id: postsTable.id });
  const ids = rows.map(({ id }) => String(id));
  await embedMany(posts.of, ids);
  expect(await wrong()).toEqual([]);
});
beforeEach(() => {
  provider.requests = [];
  onTestFailed(() => console.log(lanes.output()));
});

describe(`1 % of ${POSTS} vectors, damaged at random (SEED=${seed})`, () => {
  const chance = chanceOf(seed);

  /** Deletes some vectors, makes some those of another text, and some those of another model. */
  async function damage(): Promise<string[]> {
    const { rows } = await database.db.execute<{ id: string }>(sql`select id::text from posts order by id`);
    const ids = rows.map(({ id }) => ({ id, at: chance() })).toSorted((a, b) => a.at - b.at);
    const chosen = ids.slice(0, DAMAGED).map(({ id }) => id);
    const list = (from: number, to: number) =>
      sql`select unnest(${sql.param(chosen.slice(from, to))}::bigint[])`;
    await database.db.execute(sql`delete from post_embeddings where post_id in (${list(0, 7)})`);
    await database.db.execute(
      sql`update post_embeddings set text_hash = gen_random_uuid() where post_id in (${list(7, 14)})`,
    );
    await database.db.execute(sql`update post_embeddings set model_id = (
      select id from embedding_models where name = 'another') where post_id in (${list(14, DAMAGED)})`);
    expect((await wrong()).toSorted()).toEqual(chosen.toSorted());
    return chosen;
  }

  beforeAll(() =>
    database.db.execute(sql`insert into embedding_models (name, dimensions, recipe, state, index_type)
      values ('another', 64, 1, 'retired', 'halfvec')`),
  );
  afterEach(async () => {
    await database.db.execute(
      sql`delete from post_embeddings where model_id <> (select id from embedding_models where name = 'model-a')`,
    );
  });

  it("are healed by npm run reconcile with exactly as many inputs", async () => {
    await damage();
    const estimate = await lanes.start("backfill", "--estimate").end();
    expect(estimate).toContain(`posts: ${DAMAGED} rows to embed by model-a, estimated from 2,000 of them`);
    expect(await reconcile("--dry-run")).toContain(`${DAMAGED} of ${POSTS} rows`);
    expect(inputs()).toEqual([]);
    expect(await reconcile()).toContain(`embedded: ${DAMAGED} of ${DAMAGED} (100%)`);
    expect(inputs()).toHaveLength(DAMAGED);
    expect(await wrong()).toEqual([]);
  });

  it("are healed by the scheduled task with exactly as many inputs", async () => {
    await damage();
    await lanes.schedule("reconcile-post-embeddings");
    expect(inputs()).toHaveLength(DAMAGED);
    expect(await wrong()).toEqual([]);
  });

  it("of one post is healed by npm run reconcile -- --post", async () => {
    const { rows } = await database.db.execute<{ id: string }>(sql`delete from post_embeddings
      where post_id = (select min(id) from posts) returning post_id::text as id`);
    await reconcile("--post", rows[0]?.id ?? "");
    await lanes.idle();
    expect(inputs()).toHaveLength(1);
    expect(await wrong()).toEqual([]);
  });

  it("make no input more when nothing is left to heal", async () => {
    expect(await reconcile()).toContain(`0 of ${POSTS} rows`);
    await lanes.schedule("reconcile-post-embeddings");
    expect(inputs()).toEqual([]);
  });
});

describe(`3 texts among ${POSTS} that the provider refuses by their places`, () => {
  const failures = () => database.db.select().from(embeddingFailures);

  it("are recorded, the others embedded, with at most 20 calls more than without them", async () => {
    await database.db.execute(sql`delete from post_embeddings`);
    await reconcile();
    const calls = provider.requests.length;
    await database.db.execute(sql`delete from post_embeddings`);
    await database.db.execute(
      sql`update posts set body = 'poison ' || id where id in (select id from posts order by md5(id::text) limit 3)`,
    );
    provider.requests = [];
    provider.rule = poisoned({ named: true });
    await reconcile();
    expect(await wrong()).toHaveLength(3);
    expect(await failures()).toHaveLength(3);
    expect(provider.requests.length - calls).toBeLessThanOrEqual(20);
  });

  it("are not sent again before their time, and at once when they have changed", async () => {
    provider.rule = poisoned({ named: true });
    expect(await reconcile()).toContain(`0 of ${POSTS} rows`);
    await lanes.schedule("reconcile-post-embeddings");
    expect(inputs()).toEqual([]);
    await database.db.execute(sql`update posts set body = 'healed ' || id where body like 'poison%'`);
    await reconcile();
    expect(inputs()).toHaveLength(3);
    expect(await wrong()).toEqual([]);
    expect(await failures()).toEqual([]);
  });
});

describe(`npm run reembed on ${POSTS} posts`, () => {
  it("begins nothing with a model that the provider does not know", async () => {
    provider.rule = ({ model }) =>
      model in WIDTHS ? undefined : refuse(`The model ${model} does not exist`);
    const misspelt = lanes.start("reembed", "--model", "model-x").end();
    await expect(misspelt).rejects.toThrow("The model model-x does not exist");
    const { rows } = await database.db.execute(
      sql`select name, state from embedding_models where state <> 'retired'`,
    );
    expect(rows).toEqual([{ name: "model-a", state: "active" }]);
  });

  itChangesTheModel({ database, provider, lanes }, POSTS);
});
