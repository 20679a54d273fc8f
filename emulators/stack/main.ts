// The local stack, or some of its parts: npm run local -- postgres trigger
import { mkdirSync } from "node:fs";
import { addressRows } from "./addresses.ts";
import { localDatabaseUrl, partsNeeded, variablesFor } from "./emulators.ts";
import { loadDotenv } from "./load-dotenv.ts";
import { toStack } from "./messages.ts";
import { requireFreePorts } from "./ports.ts";
import { generatedSecrets } from "./secrets.ts";
import { PARTS, type Part, portsOf, readSettings, type Settings } from "./settings.ts";
import { type Stack, startStack } from "./start-stack.ts";
import { say, table } from "./terminal.ts";

const isPart = (name: string): name is Part => PARTS.some((part) => part === name);

function partsFrom(names: readonly string[]): Part[] {
  const unknown = names.find((name) => !isPart(name));
  if (unknown) throw new Error(`There is no part "${unknown}"; the parts are ${PARTS.join(", ")}.`);
  return names.length > 0 ? names.filter(isPart) : partsNeeded(process.env);
}

/** The emulator's triggers would change another database. */
function requireLocalDatabase(parts: readonly Part[], databaseUrl: string, settings: Settings): void {
  if (parts.includes("sequin") && databaseUrl !== localDatabaseUrl(settings))
    throw new Error(
      "The Sequin emulator is for the Postgres emulator only. For the database of DATABASE_URL: npm run capture -- --temporary",
    );
}

function stopOnSignal(stack: Stack): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await stack.close();
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop());
}

async function main(): Promise<void> {
  const started = Date.now();
  loadDotenv();
  const settings = readSettings(process.env);
  const parts = partsFrom(process.argv.slice(2));
  requireLocalDatabase(parts, process.env.DATABASE_URL?.trim() || localDatabaseUrl(settings), settings);
  mkdirSync(settings.dataDir, { recursive: true });
  await requireFreePorts(portsOf(parts, settings));
  const variables = variablesFor(parts, process.env, settings, generatedSecrets(settings.dataDir));
  const log = (part: string) => (line: string) => say(part, line);
  const stack = await startStack({ parts, settings, variables, log });
  stopOnSignal(stack);

  if (process.send) {
    process.on("message", (message) => {
      if (toStack.safeParse(message).data !== "start sequin") return;
      stack.connect().then(
        () => process.send?.("sequin serves"),
        (error: unknown) => {
          say("sequin", error instanceof Error ? error.message : String(error));
          process.exit(1);
        },
      );
    });
    process.send("stack serves");
    return;
  }
  await stack.connect();
  table(addressRows(parts, variables, settings));
  process.stdout.write(`ready in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

main().catch((error: unknown) => {
  say("local", error instanceof Error ? error.message : String(error));
  process.exit(1);
});
