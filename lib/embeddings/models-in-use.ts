import type { Database } from "../../drizzle/client.ts";
import { type EmbeddingModel, readModelsInUse } from "../../drizzle/queries/embeddings/models.ts";
import { optional } from "../env.ts";
import { RECIPE } from "./recipe.ts";

/** The database's vectors are of another model than this process would make: it makes none. */
export class OtherModelError extends Error {
  override readonly name = "OtherModelError";

  /** What mends it, where a command does. */
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(command ? `${message}: run ${command}` : message);
    this.command = command;
  }
}

/** The active model, which search uses, and the one that is being built beside it, if any. */
export type ModelsInUse = { active: EmbeddingModel; building: EmbeddingModel | undefined };

/**
 * Reads by which models rows are embedded. EMBEDDING_MODEL, where it is set, has to name the active one.
 * Rejects with OtherModelError when it names another, when there is no active one, or when this build splits texts
 * in another way and no generation of that way is being built. While one is, edits are split in the new way for both:
 * the vectors of one model can be searched together, however their texts were split.
 */
export async function modelsInUse(db: Database): Promise<ModelsInUse> {
  const models = await readModelsInUse(db);
  const active = models.find(({ state }) => state === "active");
  const building = models.find(({ state }) => state === "building");
  if (!active) throw new OtherModelError("The database has no embedding model yet", "npm run migrate");
  const wanted = optional("EMBEDDING_MODEL");
  if (wanted !== undefined && wanted !== active.name && wanted !== building?.name)
    throw new OtherModelError(
      `EMBEDDING_MODEL is ${wanted}, and this database's vectors are of ${active.name}: leave the variable out, or make all vectors anew by npm run reembed -- --model ${wanted}`,
    );
  if (active.recipe !== RECIPE && building?.recipe !== RECIPE)
    throw new OtherModelError(
      `This version splits texts by recipe ${RECIPE}, and this database's vectors are of recipe ${active.recipe}`,
      `npm run reembed -- --model ${active.name} --dimensions ${active.dimensions}`,
    );
  return { active, building };
}
