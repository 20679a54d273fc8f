// npm run migrate: brings the database of DATABASE_URL up to this version.
import { migrateDatabase } from "../drizzle/migrate/migrate.ts";
import { DEFAULT_DIMENSIONS, DEFAULT_MODEL, RECIPE } from "../lib/embeddings/recipe.ts";
import { optional, required } from "../lib/env.ts";
import { command } from "./command.ts";

await command(async () => {
  const name = optional("EMBEDDING_MODEL") ?? DEFAULT_MODEL;
  const applied = await migrateDatabase({
    url: required("DATABASE_URL"),
    model: { name, dimensions: DEFAULT_DIMENSIONS, recipe: RECIPE },
    say: (line) => process.stdout.write(`${line}\n`),
  });
  process.stdout.write(
    applied.length > 0 ? "The database is up to date now.\n" : "The database is up to date.\n",
  );
});
