import type { DeclarationError } from "../declaration-error.ts";
import type { Declaration } from "../declare/declaration.ts";
import type { KeyType } from "../source.ts";
import { deletionProblems, keyProblems, keyTypeOf, missingColumns } from "./columns.ts";
import { inspectEmbeddings, readWordsKey } from "./embeddings-table.ts";
import { expressionProblem } from "./expression.ts";
import { languageProblems } from "./language.ts";
import { problemOf, spelled } from "./problem.ts";
import { type Connection, type Relation, readColumns, readRelation, readSimilar } from "./read-table.ts";
import { replicaIdentityProblems } from "./replica-identity.ts";

const KINDS: Readonly<Record<string, string>> = {
  v: "a view",
  m: "a materialized view",
  f: "a foreign table",
  S: "a sequence",
  i: "an index",
  I: "an index",
};

async function missingTable(client: Connection, { table }: Declaration): Promise<string> {
  const similar = await readSimilar(client, table);
  const hint = similar.length > 0 ? `; did you mean ${similar.join(" or ")}?` : "";
  return `there is no table ${spelled(table)}${hint}`;
}

function relationProblems({ kind, persistence, isReadable, hidesRows }: Relation): string[] {
  if (kind !== "r" && kind !== "p")
    return [
      `is ${KINDS[kind] ?? "not a table"}, and only a table has changes that can be captured: name its table`,
    ];
  const problems: string[] = [];
  if (persistence !== "p")
    problems.push("is not logged, so its changes cannot be captured: alter table … set logged");
  if (!isReadable)
    problems.push("cannot be read by the current role: grant usage on its schema, and select on it");
  if (hidesRows)
    problems.push(
      "has row level security, which hides rows from the current role, and a hidden row would count as deleted: alter role … bypassrls",
    );
  return problems;
}

async function expressionProblems(client: Connection, declaration: Declaration, oid: number) {
  if (declaration.kind !== "embedding") return [];
  const { table, text, where } = declaration;
  const problems: DeclarationError[] = [];
  const check = async (option: string, sql: string, type: "text" | "boolean") => {
    const found = await expressionProblem(client, { table, oid, sql, type });
    if (found !== undefined) problems.push(problemOf(declaration)(option, found));
  };
  if (typeof text === "string") await check("text", text, "text");
  if (where !== undefined) await check("where", where, "boolean");
  return problems;
}

/**
 * Checks a declaration against the database. Every problem names its place in aftercommit.config.ts, the option and the
 * fix. Reads only the catalog, never the table's rows, and leaves nothing behind. Must not be called in a transaction.
 */
export async function inspect(client: Connection, declaration: Declaration) {
  const problem = problemOf(declaration);
  const { table, key } = declaration;
  const relation = await readRelation(client, table);
  const problems = relation
    ? relationProblems(relation).map((text) => problem("table", `${spelled(table)} ${text}`))
    : [problem("table", await missingTable(client, declaration))];
  let keyType: KeyType | undefined;
  // The key's type and collation, as a column of ours has them: text collate pg_catalog."C".
  let keyColumn: string | undefined;
  if (relation && (relation.kind === "r" || relation.kind === "p")) {
    const { oid, isReadable } = relation;
    const columns = await readColumns(client, oid);
    const column = columns.find(({ name }) => name === key);
    keyType = keyTypeOf(column);
    keyColumn = column && keyType && keyType + column.collate;
    problems.push(...missingColumns(columns, declaration), ...deletionProblems(columns, declaration));
    if (column) {
      problems.push(...(await keyProblems(client, relation, { column, declaration })));
      problems.push(...(await replicaIdentityProblems(client, { oid, declaration })));
    }
    if (isReadable) problems.push(...(await expressionProblems(client, declaration, oid)));
  }
  let hasEmbeddings = false;
  let hasWords = false;
  if (declaration.kind === "embedding") {
    const { exists, problem: found } = await inspectEmbeddings(client, { declaration, keyColumn });
    hasEmbeddings = exists;
    if (found) problems.push(found);
    problems.push(...(await languageProblems(client, declaration)));
    hasWords = (await readWordsKey(client, declaration)) === keyColumn;
  }
  return { oid: relation?.oid, keyType, keyColumn, hasEmbeddings, hasWords, problems };
}

export type Inspection = Awaited<ReturnType<typeof inspect>>;
