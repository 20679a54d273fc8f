import { and, DrizzleQueryError, eq, sql } from "drizzle-orm";
import { DatabaseError } from "pg";
import type { Database } from "../../client.ts";
import type { EmbeddedTable } from "../../embedded-table.ts";
import { embeddingModels } from "../../embedding-tables.ts";
import type { EmbeddingModel } from "./models.ts";

export type Identity = Pick<EmbeddingModel, "name" | "dimensions" | "recipe">;

export async function readGenerations(db: Database): Promise<EmbeddingModel[]> {
  return db.select().from(embeddingModels).orderBy(embeddingModels.id);
}

/** Begins a generation, or takes up one that was retired and is still there. */
export async function beginGeneration(
  db: Database,
  identity: Identity,
  indexType: EmbeddingModel["indexType"],
): Promise<EmbeddingModel> {
  const { name, dimensions, recipe } = embeddingModels;
  const [model] = await db
    .insert(embeddingModels)
    .values({ ...identity, indexType, state: "building" })
    .onConflictDoUpdate({ target: [name, dimensions, recipe], set: { state: "building" } })
    .returning();
  if (!model) throw new Error("The generation was not written");
  return model;
}

/**
 * Makes a generation that is being built the active one; the one before is kept. At once: search sees one or the other.
 * False when it is not being built any more.
 */
export async function switchTo(db: Database, id: number): Promise<boolean> {
  return db.transaction(async (tx) => {
    const building = await tx
      .select()
      .from(embeddingModels)
      .where(and(eq(embeddingModels.id, id), eq(embeddingModels.state, "building")))
      .for("no key update");
    if (building.length === 0) return false;
    await tx.update(embeddingModels).set({ state: "retired" }).where(eq(embeddingModels.state, "active"));
    await tx
      .update(embeddingModels)
      .set({ state: "active", activatedAt: sql`now()` })
      .where(eq(embeddingModels.id, id));
    return true;
  });
}

/** Gives up a generation that is being built: it is retired, and can be taken up again. */
export async function stopBuilding(db: Database): Promise<void> {
  await db.update(embeddingModels).set({ state: "retired" }).where(eq(embeddingModels.state, "building"));
}

/** Deletes up to `limit` vectors of a generation; resolves with how many there were. */
export async function deleteVectors(
  db: Database,
  of: EmbeddedTable,
  id: number,
  limit: number,
): Promise<number> {
  const { rowCount } = await db.execute(sql`delete from ${of.embeddings} where ctid in (
    select ctid from ${of.embeddings} where model_id = ${id} limit ${limit})`);
  return rowCount ?? 0;
}

const FOREIGN_KEY_VIOLATION = "23503";

/** Forgets a retired generation. False where it has vectors again, of a run that began before it was retired. */
export async function forgetGeneration(db: Database, id: number): Promise<boolean> {
  try {
    await db
      .delete(embeddingModels)
      .where(sql`${embeddingModels.id} = ${id} and ${embeddingModels.state} = 'retired'`);
    return true;
  } catch (error) {
    const { cause } = error instanceof DrizzleQueryError ? error : {};
    if (cause instanceof DatabaseError && cause.code === FOREIGN_KEY_VIOLATION) return false;
    throw error;
  }
}
