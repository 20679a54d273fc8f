// npx aftercommit init: declares tables of the project in this folder, and writes its routes, tasks and sequin.yaml. It
// shows every file first, and overwrites nothing.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { inspect } from "../src/catalog/inspect.ts";
import { directUrl } from "../src/db/database.ts";
import { quoted, quotedColumn } from "../src/db/identifiers.ts";
import { connectionOf, TlsClient } from "../src/db/tls.ts";
import type { Declaration } from "../src/declare/declaration.ts";
import { fromSequin } from "../src/declare/declarations.ts";
import { type Ask, askTables } from "../src/init/ask.ts";
import { declare } from "../src/init/declare.ts";
import { missingExamples } from "../src/init/env-example.ts";
import { asDeclared, otherTasks } from "../src/init/existing.ts";
import { type File, filesOf, TASKS } from "../src/init/files.ts";
import { estimateTokens, readCandidates } from "../src/init/propose.ts";
import { adviceOnVariables } from "../src/init/trigger-config.ts";
import { openai } from "../src/providers/openai.ts";
import { completeSequinYaml } from "../src/sequin-config/complete.ts";
import { command } from "./command.ts";
import { loadConfig } from "./load-declarations.ts";

// The CLI must have the same version.
const sdk: { version: string } = createRequire(import.meta.url)("@trigger.dev/sdk/package.json");

const say = (line: string) => void process.stdout.write(`${line}\n`);
const whole = new Intl.NumberFormat("en-US");

function environmentFile(): File | undefined {
  const before = existsSync(".env.example") ? readFileSync(".env.example", "utf8") : "";
  const missing = missingExamples(before);
  if (missing === "") return undefined;
  return { path: ".env.example", text: `${before}${before ? "\n" : ""}# Aftercommit\n${missing}` };
}

function sequinFile(all: readonly Declaration[]): File | undefined {
  const declarations = fromSequin(all);
  if (declarations.length === 0) return undefined;
  const before = existsSync("sequin.yaml") ? readFileSync("sequin.yaml", "utf8") : undefined;
  const { text, changes } = completeSequinYaml(before, declarations);
  return changes.length > 0 ? { path: "sequin.yaml", text } : undefined;
}

function hasTriggerBuild(): boolean {
  try {
    createRequire(resolve("package.json")).resolve("@trigger.dev/build/extensions/core");
    return true;
  } catch {
    return false;
  }
}

async function write(
  files: readonly File[],
  additions: readonly File[],
  confirm: () => Promise<boolean>,
): Promise<void> {
  const kept = files.filter(({ path }) => existsSync(path));
  const written = [...files.filter(({ path }) => !existsSync(path)), ...additions];
  say("\nThis will be written:");
  for (const { path, text } of written)
    say(`  ${path.padEnd(48)} ${existsSync(path) ? "completed" : `${text.split("\n").length - 1} lines`}`);
  for (const { path } of kept) say(`  ${path.padEnd(48)} exists, and stays as it is`);
  if (!(await confirm())) throw new Error("Nothing is written.");
  for (const { path, text } of written) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

await command(async () => {
  const { values } = parseArgs({
    options: {
      table: { type: "string" },
      key: { type: "string" },
      text: { type: "string" },
      "delete-table": { type: "string" },
      email: { type: "string" },
      yes: { type: "boolean", default: false },
    },
  });
  const { yes, ...answers } = values;
  if (!existsSync("package.json")) throw new Error(`There is no package.json in ${process.cwd()}`);
  const app = ["app", "src/app"].find((folder) => existsSync(folder));
  if (!app)
    throw new Error(
      `There is no folder app or src/app in ${process.cwd()}: the App Router's routes are there`,
    );
  const client = new TlsClient(connectionOf(directUrl()));
  await client.connect();
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const ask: Ask = async (question, proposal) =>
      yes ? proposal : (await terminal.question(`${question} [${proposal}] `)).trim() || proposal;
    const candidates = await readCandidates(client);
    const wanted = await askTables(candidates, answers, ask);
    if (!wanted.embedding && !wanted.deletion) throw new Error("There is nothing to declare.");
    const config = await loadConfig();
    const declared = config ? asDeclared(declare(wanted), config) : declare(wanted);
    const declarations = declared.map(({ declaration }) => declaration);
    for (const declaration of declarations)
      for (const { message } of (await inspect(client, declaration)).problems)
        say(`Before you migrate: ${message}`);
    const additions = [sequinFile(declarations), environmentFile()].filter((file) => file !== undefined);
    const files = filesOf(declared, { app, hasTriggerBuild: hasTriggerBuild() });
    const other = existsSync(TASKS) ? undefined : otherTasks(process.cwd());
    if (other) say(`${TASKS} is left out, because ${other} has tasks: add those that are missing there.`);
    await write(
      files.filter(({ path }) => !other || path !== TASKS),
      additions,
      async () => yes || /^y/i.test(await ask("Write them?", "yes")),
    );
    say("\nNext:\n  npx aftercommit migrate      creates what Aftercommit needs beside your tables");
    say(`  npx trigger.dev@${sdk.version} dev    runs the tasks`);
    say(
      "  sequin config apply sequin.yaml   sends the changes, and your rows once: npx aftercommit doctor checks all of it",
    );
    const advice = adviceOnVariables(readFileSync("trigger.config.ts", "utf8"), sdk.version);
    for (const line of advice) say(line);
    if (wanted.embedding) {
      const { candidate, text } = wanted.embedding;
      const { defaultModel, models } = openai();
      const { price = 0 } = models[defaultModel] ?? {};
      const tokens = await estimateTokens(client, {
        quotedTable: quoted(candidate),
        text: text.map(quotedColumn),
        rows: candidate.rows,
      });
      say(
        `\nThe first embedding of ${candidate.name} takes about ${whole.format(tokens)} tokens: $${((tokens / 1_000_000) * price).toFixed(2)} with ${defaultModel}.`,
      );
    }
  } finally {
    terminal.close();
    await client.end();
  }
});
