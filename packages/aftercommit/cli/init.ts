// aftercommit init [--table posts [--key id] [--text title,body]] [--delete-table users [--email email]] [--yes]:
// declares tables of the project in this folder, and writes its routes, tasks and sequin.yaml. It shows every file
// first, and overwrites nothing.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { inspect } from "../src/catalog/inspect.ts";
import { directUrl } from "../src/db/database.ts";
import { quoted, quotedColumn } from "../src/db/identifiers.ts";
import { connectionOf, TlsClient } from "../src/db/tls.ts";
import type { Declaration } from "../src/declare/declaration.ts";
import { defineDeletion, defineEmbedding } from "../src/define.ts";
import { missingExamples } from "../src/init/env-example.ts";
import { type File, filesOf, type Named } from "../src/init/files.ts";
import { type Candidate, estimateTokens, readCandidates } from "../src/init/propose.ts";
import { openai } from "../src/providers/openai.ts";
import { completeSequinYaml } from "../src/sequin-config/complete.ts";
import { command } from "./command.ts";

// The CLI must have the same version.
const sdk: { version: string } = createRequire(import.meta.url)("@trigger.dev/sdk/package.json");

const say = (line: string) => void process.stdout.write(`${line}\n`);
const whole = new Intl.NumberFormat("en-US");

type Answers = { table?: string; key?: string; text?: string; "delete-table"?: string; email?: string };
type Ask = (question: string, proposal: string) => Promise<string>;

const spelled = ({ schema, name }: Candidate) => (schema === "public" ? name : `${schema}.${name}`);
const singular = (name: string) => name.replace(/ies$/, "y").replace(/(?<=[^s])s$/, "");
const words = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
const variableOf = (name: string) =>
  words(name).replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

function find(candidates: readonly Candidate[], table: string, flag: string): Candidate {
  const found = candidates.find((one) => [spelled(one), `${one.schema}.${one.name}`].includes(table));
  if (found) return found;
  const names = candidates.map(spelled).join(", ") || "none";
  throw new Error(
    `--${flag}: there is no table ${table} with a primary key of one column (there are: ${names})`,
  );
}

async function askEmbedding(candidates: readonly Candidate[], answers: Answers, ask: Ask) {
  const best = candidates.find(({ text }) => text.length > 0);
  const table =
    answers.table ??
    (await ask("Which table is searched by meaning? (none for no table)", best ? spelled(best) : "none"));
  if (table === "none") return undefined;
  const candidate = find(candidates, table, "table");
  const text =
    answers.text ?? (await ask("Which columns are its text, the title first?", candidate.text.join(",")));
  if (!text)
    throw new Error(`--text: ${table} has no column that is likely its text; name them: --text title,body`);
  const [title = "", ...others] = text.split(",").map((column) => column.trim());
  const declaration = defineEmbedding({
    row: words(singular(candidate.name)),
    rows: words(candidate.name) === words(singular(candidate.name)) ? undefined : words(candidate.name),
    table: `${candidate.schema}.${candidate.name}`,
    key: answers.key ?? candidate.key,
    text: [title, ...others],
    columns: [title],
  });
  return { named: { name: variableOf(candidate.name), declaration }, candidate };
}

async function askDeletion(
  candidates: readonly Candidate[],
  answers: Answers,
  ask: Ask,
): Promise<Named | undefined> {
  const best = candidates.find(
    ({ name, email }) => email !== null && /user|account|member|customer/i.test(name),
  );
  const table =
    answers["delete-table"] ??
    (await ask(
      "Whose deleted rows are cleaned up elsewhere? (none for no table)",
      best ? spelled(best) : "none",
    ));
  if (table === "none") return undefined;
  const candidate = find(candidates, table, "delete-table");
  const email =
    answers.email ??
    (await ask(
      "Which column has the address for the confirmation? (none to send none)",
      candidate.email ?? "none",
    ));
  const declaration = defineDeletion({
    row: words(singular(candidate.name)),
    table: `${candidate.schema}.${candidate.name}`,
    key: candidate.key,
    email: email === "none" ? undefined : email,
  });
  return { name: variableOf(candidate.name), declaration };
}

function environmentFile(): File | undefined {
  const before = existsSync(".env.example") ? readFileSync(".env.example", "utf8") : "";
  const missing = missingExamples(before);
  if (missing === "") return undefined;
  return { path: ".env.example", text: `${before}${before ? "\n" : ""}# Aftercommit\n${missing}` };
}

function sequinFile(declarations: readonly Declaration[]): File | undefined {
  const before = existsSync("sequin.yaml") ? readFileSync("sequin.yaml", "utf8") : undefined;
  const { text, changes } = completeSequinYaml(before, declarations);
  return changes.length > 0 ? { path: "sequin.yaml", text } : undefined;
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
    const embedding = await askEmbedding(candidates, answers, ask);
    const deletion = await askDeletion(candidates, answers, ask);
    const declared = [embedding?.named, deletion].filter((named) => named !== undefined);
    if (declared.length === 0) throw new Error("There is nothing to declare.");
    const declarations = declared.map(({ declaration }) => declaration);
    for (const declaration of declarations)
      for (const { message } of (await inspect(client, declaration)).problems)
        say(`Before you migrate: ${message}`);
    const additions = [sequinFile(declarations), environmentFile()].filter((file) => file !== undefined);
    await write(
      filesOf(declared, app),
      additions,
      async () => yes || /^y/i.test(await ask("Write them?", "yes")),
    );
    say("\nNext:\n  npx aftercommit migrate      creates what Aftercommit needs beside your tables");
    say(`  npx trigger.dev@${sdk.version} dev    runs the tasks`);
    say(
      "  sequin config apply sequin.yaml   sends the changes, and your rows once: npx aftercommit doctor checks all of it",
    );
    if (embedding) {
      const { candidate, named } = embedding;
      const { defaultModel, models } = openai();
      const { price = 0 } = models[defaultModel] ?? {};
      const tokens = await estimateTokens(client, {
        quotedTable: quoted(candidate),
        text: [...named.declaration.text].map(quotedColumn),
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
