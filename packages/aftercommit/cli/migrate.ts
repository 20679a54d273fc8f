// npm run migrate: brings the database of DATABASE_URL up to this version and to aftercommit.config.ts. With --print it
// only prints the SQL of that, and the roles with their privileges.
import { optional, required } from "../src/env.ts";
import { migrate } from "../src/migrate/migrate.ts";
import { printMigration } from "../src/migrate/print.ts";
import { CHUNKER, DEFAULT_DIMENSIONS, DEFAULT_MODEL } from "../src/models/defaults.ts";
import { command } from "./command.ts";
import { loadDeclarations } from "./load-declarations.ts";

await command(async () => {
  const options = {
    url: required("DATABASE_URL"),
    declarations: await loadDeclarations(),
    model: {
      name: optional("EMBEDDING_MODEL") ?? DEFAULT_MODEL,
      dimensions: DEFAULT_DIMENSIONS,
      chunker: CHUNKER,
    },
  };
  if (process.argv.includes("--print")) {
    process.stdout.write(await printMigration(options));
    return;
  }
  const applied = await migrate({ ...options, say: (line) => process.stdout.write(`${line}\n`) });
  process.stdout.write(
    applied.length > 0 ? "The database is up to date now.\n" : "The database is up to date.\n",
  );
});
