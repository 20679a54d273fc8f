import type { Variables } from "@aftercommit/local-stack/emulators.ts";
import { withDatabase } from "./with-database.ts";

/**
 * A hint if the database's vectors belong to another model than EMBEDDING_MODEL, which only a new database reads.
 * Undefined if both agree. Only reads.
 */
export async function otherModelHint({
  DATABASE_URL,
  EMBEDDING_MODEL,
}: Variables): Promise<string | undefined> {
  if (!DATABASE_URL || !EMBEDDING_MODEL) return undefined;
  const { rows } = await withDatabase(DATABASE_URL, (db) =>
    db.execute<{ name: string }>("select name from aftercommit.models where state = 'active'"),
  );
  const active = rows[0]?.name;
  if (active === undefined || active === EMBEDDING_MODEL) return undefined;
  return `this database's model is ${active}, not ${EMBEDDING_MODEL}: npm run reembed -- --model ${EMBEDDING_MODEL} changes it`;
}
