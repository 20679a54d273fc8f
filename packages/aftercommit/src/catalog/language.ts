import { DatabaseError } from "pg";
import type { DeclarationError } from "../declaration-error.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { languagesOf } from "../words/lexicons.ts";
import { problemOf } from "./problem.ts";
import type { Connection } from "./read-table.ts";

async function isKnown(client: Connection, configuration: string): Promise<boolean> {
  try {
    await client.query("select $1::regconfig", [configuration]);
    return true;
  } catch (error) {
    if (error instanceof DatabaseError) return false;
    throw error;
  }
}

export async function languageProblems(
  client: Connection,
  declaration: EmbeddingDeclaration,
): Promise<DeclarationError[]> {
  const problems: DeclarationError[] = [];
  for (const configuration of languagesOf(declaration)) {
    if (configuration === "" || (await isKnown(client, configuration))) continue;
    const { rows } = await client.query<{ names: string }>(
      "select string_agg(cfgname, ', ' order by cfgname) as names from pg_ts_config where pg_ts_config_is_visible(oid)",
    );
    const problem = `there is no text search configuration ${configuration} (there are ${rows[0]?.names})`;
    problems.push(problemOf(declaration)("language", problem));
  }
  return problems;
}
