import type { DeclarationError } from "../declaration-error.ts";
import type { Declaration } from "../declare/declaration.ts";
import type { KeyType } from "../source.ts";
import { problemOf } from "./problem.ts";
import { type Column, type Connection, type Relation, readKeyIndexes } from "./read-table.ts";

const KEY_TYPES: Readonly<Record<string, KeyType>> = {
  bigint: "bigint",
  integer: "integer",
  smallint: "smallint",
  uuid: "uuid",
  text: "text",
  "character varying": "text",
};

/** The type of the row id in an embeddings table for a key of this type; undefined if a key must not have this type. */
export const keyTypeOf = (column: Column | undefined) => column && KEY_TYPES[column.type];

const plain = (name: string) => name.toLowerCase().replaceAll("_", "");

/** The columns that a declaration names, by the option. */
function namesOf(declaration: Declaration): Record<string, readonly (string | undefined)[]> {
  const { kind, key } = declaration;
  if (kind === "trigger") return { key: [key] };
  if (kind === "deletion") {
    const { email, when } = declaration;
    return { key: [key], email: [email], when: when === "delete" ? [] : [when] };
  }
  const { text, columns, filters, tenant, language } = declaration;
  return {
    key: [key],
    text: typeof text === "string" ? [] : text,
    columns,
    filters: filters.filter((column) => column !== tenant),
    tenant: [tenant],
    language: typeof language === "object" ? [language.column] : [],
  };
}

export function missingColumns(columns: readonly Column[], declaration: Declaration): DeclarationError[] {
  const names = columns.map(({ name }) => name);
  return Object.entries(namesOf(declaration)).flatMap(([option, named]) =>
    named.flatMap((column) => {
      if (column === undefined || names.includes(column)) return [];
      const meant = names.find((name) => plain(name) === plain(column));
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      const problem = `there is no column ${column}${hint} (there are ${names.join(", ")})`;
      return [problemOf(declaration)(option, problem)];
    }),
  );
}

const generated = (name: string) =>
  `${name} is a generated column, which Postgres does not publish; name a stored one`;

/** Why a column cannot be the key: a key is unique, never null, and stays the same as long as its row exists. */
export async function keyProblems(
  client: Connection,
  { oid, kind }: Relation,
  { column, declaration }: { column: Column; declaration: Declaration },
): Promise<DeclarationError[]> {
  const { name, type, isNullable, isGenerated } = column;
  const { isUnique, isIndexed } = await readKeyIndexes(client, { oid, column: name });
  const problems: string[] = [];
  if (!keyTypeOf(column))
    problems.push(`${name} is of type ${type}; a key is a smallint, integer, bigint, uuid, text or varchar`);
  if (isNullable)
    problems.push(`${name} may be null; a key is never null: alter table … alter column … set not null`);
  if (isGenerated) problems.push(generated(name));
  // Postgres requires the partition key in every unique index.
  if (kind === "p" && !isIndexed)
    problems.push(
      `no index of the partitioned table begins with ${name}: create one, so that rows can be found by it`,
    );
  if (kind !== "p" && !isUnique)
    problems.push(
      `${name} has no unique index of its own: name the primary key, or create a unique index on ${name} alone`,
    );
  return problems.map((problem) => problemOf(declaration)("key", problem));
}

/** Why the other columns of a deletion cannot mean what they are declared to mean. */
export function deletionProblems(columns: readonly Column[], declaration: Declaration): DeclarationError[] {
  if (declaration.kind !== "deletion") return [];
  const find = (name: string | undefined) => columns.find((column) => column.name === name);
  const [email, mark] = [find(declaration.email), find(declaration.when)];
  const problems: [option: string, problem: string][] = [];
  for (const [option, column] of Object.entries({ email, when: mark }))
    if (column?.isGenerated) problems.push([option, generated(column.name)]);
  if (declaration.when !== "delete" && mark && (mark.type === "boolean" || !mark.isNullable))
    problems.push([
      "when",
      `a row counts as deleted while ${mark.name} is not null, but it is ${mark.type === "boolean" ? "a boolean, and false is not null" : "never null"}: name a column that is null until the row is deleted, such as deleted_at`,
    ]);
  return problems.map(([option, problem]) => problemOf(declaration)(option, problem));
}
