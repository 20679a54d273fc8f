import { sql } from "drizzle-orm";
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFailed } from "vitest";
import { posts } from "../../aftercommit.config.ts";
import { posts as postsTable } from "../../drizzle/schema.ts";
import { drain } from "../../packages/aftercommit/src/embeddings/drain.ts";
import { accept } from "../../packages/aftercommit/src/inbox/accept.ts";
import { FIRST_MODEL } from "../helpers/postgres-template.ts";
import { databaseForTests } from "../helpers/posts-database.ts";
import { poisoned, refuse, strictProviderForTests } from "../helpers/providers/strict-provider.ts";
import { itChangesTheModel } from "../helpers/reembed/model-change.ts";
import { vectorBy, WIDTHS, wrongBy } from "../helpers/reembed/two-models.ts";
import { workersForTests } from "../helpers/reembed/workers.ts";
import { chanceOf, seed } from "../helpers/seed.ts";

const POSTS = 2_000;
const DAMAGED = POSTS / 100;

const database = databaseForTests({ ...FIRST_MODEL, name: "model-a", dimensions: WIDTHS["model-a"] ?? 0 });
const provider = strictProviderForTests(({ model }, input) => vectorBy(model, input));
const workers = workersForTests();

const reconcile = (...args: string[]) => workers.start("reconcile", ...args).end();
const inputs = () => provider.requests.flatMap(({ input }) => input);
const wrong = () => wrongBy(database.db, "model-a");

beforeAll(async () => {
  const values = Array.from({ length: POSTS }, (_, n) => ({ title: "Post", body: `Body ${n}`, author: "A" }));
  const rows = await database.db.insert(postsTable).values(values).returning({ id: postsTable.id });
  await accept(
    database.db,
    "post",
    rows.map(({ id }) => ({ rowId: String(id), queue: "batch", changedAt: null })),
  );
  await drain(posts, { db: database.db, runId: "run_of_the_test", waitUntil: async () => {} });
  expect(await wrong()).toEqual([]);
});
beforeEach(async () => {
  provider.requests = [];
  // The schedule's first pass after this compares all texts.
  await database.db.execute(
    sql`update aftercommit.sources set reconciled_at = null, fully_reconciled_at = null`,
  );
  onTestFailed(() => console.log(workers.output()));
});

describe(`1 % of ${POSTS} vectors, damaged at random (SEED=${seed})`, () => {
  const chance = chanceOf(seed);

  /** Deletes some vectors, and replaces others with those of another text or another model. */
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
      select id from aftercommit.models where name = 'another') where post_id in (${list(14, DAMAGED)})`);
    expect((await wrong()).toSorted()).toEqual(chosen.toSorted());
    return chosen;
  }

  beforeAll(() =>
    database.db.execute(sql`insert into aftercommit.models (name, dimensions, chunker, state, index_type)
      values ('another', 64, 1, 'retired', 'halfvec')`),
  );
  afterEach(async () => {
    await database.db.execute(
      sql`delete from post_embeddings where model_id <> (select id from aftercommit.models where name = 'model-a')`,
    );
  });

  it("are found and embedded by npx aftercommit reconcile --full with exactly as many inputs", async () => {
    await damage();
    const estimate = await reconcile("--full", "--dry-run");
    expect(estimate).toContain(`posts: ${DAMAGED} rows missing or out of date, 0 rows' vectors to remove`);
    expect(estimate).toContain("to embed by model-a, estimated from");
    expect(inputs()).toEqual([]);
    expect(await reconcile("--full")).toContain(`embedded: ${DAMAGED} of ${DAMAGED} (100%)`);
    expect(inputs()).toHaveLength(DAMAGED);
    expect(await wrong()).toEqual([]);
  });

  it("are found and embedded by the scheduled task with exactly as many inputs", async () => {
    await damage();
    await workers.schedule("reconcile-post-embeddings");
    await workers.emptied();
    expect(inputs()).toHaveLength(DAMAGED);
    expect(await wrong()).toEqual([]);
  });

  it("of one post are embedded again by npx aftercommit reconcile --table posts --row", async () => {
    const { rows } = await database.db.execute<{ id: string }>(sql`delete from post_embeddings
      where post_id = (select min(id) from posts) returning post_id::text as id`);
    await reconcile("--table", "posts", "--row", rows[0]?.id ?? "");
    expect(inputs()).toHaveLength(1);
    expect(await wrong()).toEqual([]);
  });

  it("cost nothing more when nothing is left to embed", async () => {
    expect(await reconcile()).toContain("posts: 0 rows missing, 0 rows' vectors to remove");
    await workers.schedule("reconcile-post-embeddings");
    expect(inputs()).toEqual([]);
  });
});

describe(`3 texts among ${POSTS} that the provider rejects by their places`, () => {
  const failed = async () =>
    (
      await database.db.execute<{ id: string }>(
        sql`select row_id as id from aftercommit.pending where error is not null`,
      )
    ).rows.map(({ id }) => id);

  it("fail alone, the others are embedded, and the command says so", async () => {
    await database.db.execute(sql`truncate post_embeddings`);
    await database.db.execute(
      sql`update posts set body = 'poison ' || id where id in (select id from posts order by md5(id::text) limit 3)`,
    );
    provider.rule = poisoned({ named: true });
    await expect(reconcile()).rejects.toThrow("3 rows have failed");
    expect((await failed()).toSorted()).toEqual((await wrong()).toSorted());
    expect(await failed()).toHaveLength(3);
    // 2,000 rows in leases of 500, and one more request for each rejected one.
    expect(provider.requests.length).toBeLessThanOrEqual(10);
  });

  it("are not sent again before their time, and right away when they have changed", async () => {
    provider.rule = poisoned({ named: true });
    await workers.schedule("reconcile-post-embeddings");
    expect(inputs()).toEqual([]);
    await database.db.execute(sql`update posts set body = 'healed ' || id where body like 'poison%'`);
    for (const id of await failed()) await workers.deliver("update", id);
    await workers.emptied();
    expect(inputs()).toHaveLength(3);
    expect(await wrong()).toEqual([]);
    expect(await failed()).toEqual([]);
  });
});

describe(`npx aftercommit reembed on ${POSTS} posts`, () => {
  it("starts nothing with a model that the provider does not know", async () => {
    provider.rule = ({ model }) =>
      model in WIDTHS ? undefined : refuse(`The model ${model} does not exist`);
    const misspelt = workers.start("reembed", "--model", "model-x").end();
    await expect(misspelt).rejects.toThrow("The model model-x does not exist");
    const { rows } = await database.db.execute(
      sql`select name, state from aftercommit.models where state <> 'retired'`,
    );
    expect(rows).toEqual([{ name: "model-a", state: "active" }]);
  });

  itChangesTheModel({ database, provider, workers }, POSTS);
});
