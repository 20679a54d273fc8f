// Runs SQL against the product's database and prints the result: npm run sql -- "select * from posts"

import { isSet } from "@aftercommit/local-stack/emulators.ts";
import { loadDotenv } from "@aftercommit/local-stack/load-dotenv.ts";
import { localVariables } from "@aftercommit/local-stack/variables.ts";
import { DatabaseError } from "pg";
import { connectionOf, TlsClient } from "../packages/aftercommit/src/db/tls.ts";
import { formatResult } from "./format-result.ts";

function explain(error: unknown, url: string, isLocal: boolean): string {
  if (error instanceof DatabaseError) {
    const more = [error.detail, error.hint].filter(Boolean).map((text) => `\n  ${text}`);
    return `${error.severity}: ${error.message}${error.position ? ` (at character ${error.position})` : ""}${more.join("")}`;
  }
  const { host } = new URL(url);
  const reason = error instanceof Error ? error.message || error.name : String(error);
  const advice = isLocal ? " Is `npm run dev` running?" : "";
  return `Postgres does not answer at ${host} (${reason}).${advice}`;
}

async function main(): Promise<void> {
  const sql = process.argv.slice(2).join(" ").trim();
  if (!sql) throw new Error('Say which SQL to run: npm run sql -- "select id, title from posts"');
  loadDotenv();
  const isLocal = !isSet(process.env, "DATABASE_URL");
  const url = localVariables(process.env).DATABASE_URL ?? "";
  const client = new TlsClient({ ...connectionOf(url), application_name: "npm run sql" });
  try {
    await client.connect();
    const results = await client.query(sql);
    for (const result of [results].flat()) process.stdout.write(`${formatResult(result)}\n`);
  } catch (error) {
    throw new Error(explain(error, url, isLocal), { cause: error });
  } finally {
    await client.end().catch(() => undefined);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
