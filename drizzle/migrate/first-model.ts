import type { Client } from "pg";
import { chooseIndexType } from "./choose-index-type.ts";

/** A model that vectors are made by: `recipe` is the version of what makes a text's chunks. */
export type FirstModel = { name: string; dimensions: number; recipe: number };

/** Registers a model as the active one where the database has none. */
export async function createFirstModel(client: Client, model: FirstModel): Promise<void> {
  const { rowCount } = await client.query("select from embedding_models where state = 'active'");
  if (rowCount) return;
  const indexType = await chooseIndexType(client, model.dimensions);
  await client.query(
    `insert into embedding_models (name, dimensions, recipe, state, index_type, activated_at)
     values ($1, $2, $3, 'active', $4, now()) on conflict do nothing`,
    [model.name, model.dimensions, model.recipe, indexType],
  );
}
