// npx aftercommit capture: reads the changes of the declared tables from the database itself, and stores them like the
// routes. --temporary leaves nothing in the database when it ends. --print only prints the SQL that it runs at its first
// start.
import { parseArgs } from "node:util";
import { capture } from "../src/capture/capture.ts";
import { lastingFeed } from "../src/capture/lasting-feed.ts";
import { requireReplication } from "../src/capture/require-replication.ts";
import { setupSql, slotName } from "../src/capture/slot.ts";
import { temporaryFeed } from "../src/capture/temporary-feed.ts";
import { database, directDatabase, directUrl } from "../src/db/database.ts";
import { checkEnvironment, optional } from "../src/env/env.ts";
import { startMetrics } from "../src/metrics/start.ts";
import { neededByApp } from "../src/needed-variables.ts";
import { command } from "./command.ts";
import { loadDeclarations } from "./load-declarations.ts";

await command(async () => {
  const { values } = parseArgs({
    options: {
      slot: { type: "string" },
      temporary: { type: "boolean", default: false },
      print: { type: "boolean", default: false },
    },
  });
  if (values.slot !== undefined && !/^[a-z0-9_]{1,63}$/.test(values.slot))
    throw new Error("--slot takes up to 63 lowercase letters, digits and underscores");
  const declarations = await loadDeclarations();
  checkEnvironment(values.print ? ["DATABASE_URL"] : neededByApp(declarations));
  const [db, url] = [directDatabase(), directUrl()];
  const slot = values.slot ?? (await slotName(db));
  if (values.print) return void process.stdout.write(await setupSql(db, declarations, slot));
  await requireReplication(url);
  if (optional("OTEL_EXPORTER_OTLP_ENDPOINT") !== undefined) startMetrics();
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  const feed = values.temporary
    ? temporaryFeed({ db, url, declarations })
    : lastingFeed({ db, declarations, slot });
  await capture({ db: database(), url, declarations, feed, stopped: stop.signal });
});
