import type { Variables } from "@aftercommit/local-stack/stand-ins.ts";
import pg from "pg";

/**
 * What to do where the database's vectors are of another model than the one that is set: until then none are made.
 * Undefined where nothing is to be done; it only reads.
 */
export async function otherModelHint({
  DATABASE_URL,
  EMBEDDING_MODEL,
}: Variables): Promise<string | undefined> {
  if (!DATABASE_URL || !EMBEDDING_MODEL) return undefined;
  const client = new pg.Client({ connectionString: DATABASE_URL, application_name: "npm run dev: model" });
  client.on("error", () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      "select name from embedding_models where state = 'active'",
    );
    const active = rows[0]?.name;
    if (active === undefined || active === EMBEDDING_MODEL) return undefined;
    return `the vectors of this database are of ${active}: no others are made, until you make all anew by npm run reembed -- --model ${EMBEDDING_MODEL}`;
  } finally {
    await client.end();
  }
}
