// npx aftercommit deletions preview | hold | release | list | retry | receipt | export | replay: for people who manage
// deletions. Without a subcommand, it prints the usage of each.
import { directDatabase } from "../src/db/database.ts";
import { deletionsOf } from "../src/declare/declarations.ts";
import { deletionsCommand } from "../src/deletions/command/command.ts";
import { command } from "./command.ts";
import { loadDeclarations } from "./load-declarations.ts";

await command(async () =>
  deletionsCommand(process.argv.slice(2), {
    db: directDatabase(),
    declarations: deletionsOf(await loadDeclarations()),
    say: (line) => void process.stdout.write(`${line}\n`),
  }),
);
