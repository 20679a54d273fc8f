import { sql } from "drizzle-orm";
import { beforeEach, expect, vi } from "vitest";
import type { Model } from "../../../packages/aftercommit/src/models/models.ts";
import {
  beginModel,
  completeModel,
  enqueueRows,
  switchModel,
} from "../../../packages/aftercommit/src/reembed/change-model.ts";
import { embeddingForTests, MODEL } from "../embedding.ts";

export const NEW = "text-embedding-3-large";

/** Changes the model of a database for the tests of a file. */
export function modelChangeForTests() {
  const tests = embeddingForTests();
  const { database, source, work } = tests;
  beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));

  const begin = async (name = NEW, dimensions = 8) =>
    beginModel(database.db, [await source()], {
      provider: "openai",
      name,
      dimensions,
    });

  /** A new model next to the active one. */
  async function begun(): Promise<{ from: Model | undefined; to: Model }> {
    return (await begin()) ?? expect.fail("nothing was begun");
  }

  return {
    ...tests,
    begin,
    begun,

    /** A new model that has every row. */
    async built() {
      const both = await begun();
      await enqueueRows(database.db, await source(), both);
      await work();
      await completeModel(database.db, both.to);
      return both;
    },

    async switchTo(to: Model, from: Model | undefined, acceptMissing = 0): Promise<void> {
      await switchModel(database.db, [await source()], { from, to, acceptMissing });
    },

    /** Each model with its state. */
    async states(): Promise<[string, string][]> {
      const { rows } = await database.db.execute<{ name: string; state: string }>(
        sql`select name, state from aftercommit.models order by id`,
      );
      return rows.map(({ name, state }) => [name, state]);
    },

    /** The models that a row has vectors of. */
    modelsOf: async (id: string) => (await database.embeddingsOf(BigInt(id))).map(({ modelId }) => modelId),
  };
}

export const UNCHANGED = [[MODEL.name, "active"]];
