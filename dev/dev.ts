// `npm run dev`: starts the local stack, prepares its database, starts Next.js and `trigger.dev dev`, and keeps them
// running.
import { mkdirSync } from "node:fs";
import { addressRows } from "@aftercommit/local-stack/addresses.ts";
import { partsNeeded, variablesFor } from "@aftercommit/local-stack/emulators.ts";
import { loadDotenv } from "@aftercommit/local-stack/load-dotenv.ts";
import { requireFreePorts } from "@aftercommit/local-stack/ports.ts";
import { generatedSecrets } from "@aftercommit/local-stack/secrets.ts";
import { portsOf, readSettings } from "@aftercommit/local-stack/settings.ts";
import { say, table } from "@aftercommit/local-stack/terminal.ts";
import { requireReplication } from "../packages/aftercommit/src/capture/require-replication.ts";
import { directUrl } from "../packages/aftercommit/src/db/database.ts";
import { openPage, startApp } from "./app.ts";
import { startCapture } from "./capture.ts";
import { keepCaughtUp } from "./catch-up.ts";
import { declaresOpenai } from "./declares-openai.ts";
import { startLocalStack } from "./local-stack.ts";
import { prepareDatabase } from "./migrate.ts";
import { requireMigrations } from "./missing-migrations.ts";
import { otherModelHint } from "./other-model.ts";
import { insertSampleRows } from "./sample-rows.ts";
import { loginHint } from "./stored-login.ts";
import { startTriggerCli } from "./trigger-cli.ts";
import { requireWholeSettings } from "./whole-settings.ts";

type Stoppable = { stop(): Promise<void> };

async function start(started: Stoppable[]): Promise<void> {
  const startedAt = Date.now();
  loadDotenv();
  const settings = readSettings(process.env);
  const isOpenaiDeclared = await declaresOpenai();
  const parts = partsNeeded(process.env).filter((part) => part !== "openai" || isOpenaiDeclared);
  requireWholeSettings(process.env, parts, settings.captures);
  const hint = loginHint(process.env);
  if (hint) say("dev", hint);
  mkdirSync(settings.dataDir, { recursive: true });
  await requireFreePorts({ PORT: settings.ports.app, ...portsOf(parts, settings) });
  const variables = variablesFor(parts, process.env, settings, generatedSecrets(settings.dataDir));
  const databaseUrl = variables.DATABASE_URL ?? "";
  const isLocal = parts.includes("postgres");
  if (!isLocal) await requireMigrations(databaseUrl);
  const captures = !isLocal && settings.captures;
  if (captures) await requireReplication(directUrl());

  const stack = startLocalStack(parts, variables);
  started.push(stack);
  await stack.serves;
  if (isLocal) await prepareDatabase(variables, (line) => say("migrate", line));
  const otherModel = await otherModelHint(variables);
  if (otherModel) say("dev", otherModel);

  const app = startApp(variables, settings);
  started.push(app);
  const cli = startTriggerCli(parts, variables, settings);
  started.push(cli);
  // Nothing here reads another database without being asked.
  const page = isLocal ? app.serves.then(() => openPage(settings.ports.app)) : app.serves;
  await Promise.all([page, cli.serves]);
  if (isLocal) {
    // Triggers what the last stack left undone. This also starts a process that is ready for the first change.
    await keepCaughtUp(variables, stack, cli);
    if (await insertSampleRows(databaseUrl, settings.dataDir))
      say("dev", "inserted the sample users and posts");
  }
  await stack.startSequin();
  if (captures) {
    const capture = startCapture(variables);
    started.push(capture);
    await capture.serves;
  } else if (!isLocal)
    say("dev", "captures no change of this database: LOCAL_CAPTURE=on does, while it runs");

  table([
    ["App", `http://127.0.0.1:${settings.ports.app}`, "PORT"],
    ...addressRows(parts, variables, settings),
  ]);
  process.stdout.write(
    `ready in ${((Date.now() - startedAt) / 1000).toFixed(1)} s; Ctrl-C stops everything\n`,
  );
}

const started: Stoppable[] = [];
let stopping = false;

// Stops them in reverse order: Trigger.dev's CLI can still reach its server, and Next.js its database.
async function stopAll(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  for (const part of started.toReversed()) await part.stop();
  process.exit(code);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    say("dev", "stopping");
    void stopAll(0);
  });

start(started).catch((error: unknown) => {
  if (!stopping) say("dev", error instanceof Error ? error.message : String(error));
  void stopAll(1);
});
