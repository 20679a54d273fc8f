// npx aftercommit capture [--slot NAME] [--print]: reads the changes of the declared tables from the database itself,
// and stores them like the routes. --print only prints the SQL that it runs at its first start.

import { parseArgs } from "node:util";
import { capture } from "../src/capture/capture.ts";
import { requireReplication } from "../src/capture/require-replication.ts";
import { setupSql, slotName } from "../src/capture/slot.ts";
import { connect } from "../src/db/client.ts";
import { directUrl } from "../src/db/database.ts";
import { checkEnvironment, REQUIRED_BY_CAPTURE, required } from "../src/env/env.ts";
import { command } from "./command.ts";
import { loadDeclarations } from "./load-declarations.ts";

// A window of a large table may take longer than a request of the app.
const STATEMENT_MS = 120_000;

await command(async () => {
  const { values } = parseArgs({
    options: { slot: { type: "string" }, print: { type: "boolean", default: false } },
  });
  if (values.slot !== undefined && !/^[a-z0-9_]{1,63}$/.test(values.slot))
    throw new Error("--slot takes up to 63 lowercase letters, digits and underscores");
  const declarations = await loadDeclarations();
  checkEnvironment(values.print ? ["DATABASE_URL"] : REQUIRED_BY_CAPTURE);
  const url = directUrl();
  const db = connect(required("DATABASE_URL"), { statementTimeoutMs: STATEMENT_MS });
  const slot = values.slot ?? (await slotName(db));
  if (values.print) return void process.stdout.write(await setupSql(db, declarations, slot));
  await requireReplication(url);
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  await capture({ db, url, declarations, slot, stopped: stop.signal });
});
