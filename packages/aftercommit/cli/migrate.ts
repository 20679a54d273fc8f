// npx aftercommit migrate: brings the database of DATABASE_URL up to this version and to aftercommit.config.ts. --print
// only prints the SQL for that, and the roles with their privileges.
import { parseArgs } from "node:util";
import { directUrl } from "../src/db/database.ts";
import { embeddingsOf } from "../src/declare/declarations.ts";
import { firstModel } from "../src/migrate/first-model.ts";
import { migrate } from "../src/migrate/migrate.ts";
import { printMigration } from "../src/migrate/print.ts";
import { command } from "./command.ts";
import { loadDeclarations } from "./load-declarations.ts";

await command(async () => {
  const { values } = parseArgs({ options: { print: { type: "boolean", default: false } } });
  const declarations = await loadDeclarations();
  const options = {
    url: directUrl(),
    declarations,
    model: firstModel(embeddingsOf(declarations)),
  };
  if (values.print) {
    process.stdout.write(await printMigration(options));
    return;
  }
  const applied = await migrate({ ...options, say: (line) => process.stdout.write(`${line}\n`) });
  process.stdout.write(
    applied.length > 0 ? "The database is up to date now.\n" : "The database is up to date.\n",
  );
});
