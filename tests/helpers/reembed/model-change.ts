import { sql } from "drizzle-orm";
import { expect, it } from "vitest";
import type { databaseForTests } from "../posts-database.ts";
import type { strictProviderForTests } from "../providers/strict-provider.ts";
import { chanceOf, seed } from "../seed.ts";
import { until } from "../until.ts";
import { checkpointsOf } from "./checkpoints.ts";
import { EditedPosts } from "./edited-posts.ts";
import { WIDTHS, wrongBy } from "./two-models.ts";
import type { Workers } from "./workers.ts";

type Parts = {
  database: ReturnType<typeof databaseForTests>;
  provider: ReturnType<typeof strictProviderForTests>;
  workers: Workers;
};

const [OLD, NEW] = ["model-a", "model-b"] as const;
const HALF = "with half of them";

/** Changes the model under kills, back again, and retires the other one, with continuous edits and searches. */
export function itChangesTheModel(parts: Parts, posts: number): void {
  const { database, provider, workers } = parts;
  const chance = chanceOf(seed);
  // One for all: vectors of an unused model are of old texts until its runs replace them.
  const edited = new EditedPosts(database, workers, chance);
  const reembed = (model: string) =>
    workers.start("reembed", "--model", model, "--dimensions", String(WIDTHS[model]));
  const vectorsBy = async (model: string, id: string) =>
    (
      await database.db.execute(sql`select from post_embeddings where post_id = ${id}
      and model_id = (select id from aftercommit.models where name = ${model})`)
    ).rowCount;

  const indexOf = async (model: string) => {
    const { rows } = await database.db.execute<{ oid: number }>(sql`
      select oid::int from pg_class where relname = 'post_embeddings_model_' || (
        select id from aftercommit.models where name = ${model})`);
    return rows[0]?.oid;
  };

  async function editAndDelete(): Promise<void> {
    const [id, gone] = [edited.any(), edited.any()];
    await edited.delete(gone);
    if (id !== gone) await edited.update(id);
    // The new one is left to the drain, which waits for the provider.
    await until(async () => (await wrongBy(database.db, OLD, id)).length === 0, {
      everyMs: 100,
      what: `embedding of an edit by ${OLD}`,
      progress: workers.output,
    });
    for (const model of [OLD, NEW])
      await until(async () => (await vectorsBy(model, gone)) === 0, {
        everyMs: 100,
        what: `end of the vectors of a deleted post by ${model}`,
        progress: workers.output,
      });
  }

  it(`killed at each step, it continues where it stopped: no result is empty or from two models (SEED=${seed})`, async () => {
    await edited.know();
    const before = new Set(edited.texts.keys());
    const [stopSearching, stopEditing] = [edited.keepSearching(), edited.keepEditing()];
    const { checkpoints, answer } = checkpointsOf(database, provider, { model: NEW, posts });
    let due = 0;
    for (const { name, answers, has } of checkpoints) {
      due += answers;
      if (name !== HALF && chance() > 0.25) continue;
      provider.requests = [];
      answer(due);
      due = 0;
      const command = reembed(NEW);
      const killed = await command.killAt(() => has(command));
      console.log(`SEED=${seed}: ${killed ? "kill -9" : "ended before the kill"} ${name}`);
      if (name !== HALF) continue;
      await workers.killAll();
      await editAndDelete();
    }
    answer();
    expect(await reembed(NEW).end()).toContain(`Search answers from ${NEW}`);
    expect(await stopEditing()).toBeGreaterThan(0);
    await workers.emptied();
    expect(await wrongBy(database.db, NEW)).toEqual([]);
    const present = [...before].filter((id) => edited.isThere(id));
    const kept = await database.db.execute<{ id: string }>(sql`select post_id::text as id from post_embeddings
      where model_id = (select id from aftercommit.models where name = ${OLD})`);
    const ids = new Set(kept.rows.map(({ id }) => id));
    expect(present.filter((id) => !ids.has(id))).toEqual([]);
    const { answers, ...bad } = await stopSearching();
    expect(answers).toBeGreaterThan(10);
    expect(bad).toEqual({ empty: 0, mixed: 0, failed: [] });
  });

  it("switches back, and edits made before and after that are right", async () => {
    await edited.know();
    const [stopSearching, stopEditing] = [edited.keepSearching(), edited.keepEditing()];
    expect(await reembed(OLD).end()).toContain(`Search answers from ${OLD} now.`);
    for (let n = 0; n < 3; n += 1) await edited.update(edited.any());
    await stopEditing();
    await workers.emptied();
    expect(await wrongBy(database.db, OLD)).toEqual([]);
    expect(await stopSearching()).toMatchObject({ empty: 0, mixed: 0, failed: [] });
  });

  it("retires the other model, even if killed halfway, and search does not notice", async () => {
    await edited.know();
    const stopSearching = edited.keepSearching();
    const command = workers.start("reembed", "--retire");
    await command.killAt(async () => (await indexOf(NEW)) === undefined);
    await workers.start("reembed", "--retire").end();
    const { rows } = await database.db.execute(sql`select name, state from aftercommit.models`);
    expect(rows).toEqual([{ name: OLD, state: "active" }]);
    expect(await wrongBy(database.db, OLD)).toEqual([]);
    expect(await stopSearching()).toMatchObject({ empty: 0, mixed: 0, failed: [] });
  });
}
