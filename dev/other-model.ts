import type { Variables } from "@aftercommit/local-stack/stand-ins.ts";
import { readModelsInUse } from "../drizzle/queries/embeddings/models.ts";
import { withDatabase } from "./with-database.ts";

/**
 * What to do where the database's vectors are of another model than the one that is set: until then none are made.
 * Undefined where nothing is to be done; it only reads.
 */
export async function otherModelHint({
  DATABASE_URL,
  EMBEDDING_MODEL,
}: Variables): Promise<string | undefined> {
  if (!DATABASE_URL || !EMBEDDING_MODEL) return undefined;
  const models = await withDatabase(DATABASE_URL, readModelsInUse);
  const active = models.find(({ state }) => state === "active")?.name;
  if (active === undefined || active === EMBEDDING_MODEL) return undefined;
  return `the vectors of this database are of ${active}: no others are made, until you make all anew by npm run reembed -- --model ${EMBEDDING_MODEL}`;
}
