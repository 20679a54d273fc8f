// npx aftercommit deletions preview | hold | release | list | retry | receipt | export | replay: for people who manage
// deletions. Without a subcommand, it prints the usage of each.

import { connect } from "../src/db/client.ts";
import { directUrl } from "../src/db/database.ts";
import { deletionsOf } from "../src/declare/declarations.ts";
import { deletionsCommand } from "../src/deletions/command/command.ts";
import { command } from "./command.ts";
import { loadDeclarations } from "./load-declarations.ts";

// A window of a large table may take longer than a request of the app.
const STATEMENT_MS = 120_000;

await command(async () =>
  deletionsCommand(process.argv.slice(2), {
    db: connect(directUrl(), { statementTimeoutMs: STATEMENT_MS }),
    declarations: deletionsOf(await loadDeclarations()),
    say: (line) => void process.stdout.write(`${line}\n`),
  }),
);
