import type { DeclarationError } from "../declaration-error.ts";
import type { Declaration } from "../declare/declaration.ts";
import type { KeyType } from "../source.ts";
import { problemOf } from "./problem.ts";
import { type Column, type Connection, readKeyIndexes } from "./read-table.ts";

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

function namesOf(declaration: Declaration): [option: string, column: string][] {
  const { kind, key } = declaration;
  const of = (option: string, columns: readonly string[]) =>
    columns.map((column): [string, string] => [option, column]);
  if (kind === "trigger") return of("key", [key]);
  if (kind === "embedding") {
    const { text, columns, filters, tenant, language } = declaration;
    const texts = typeof text === "string" ? [] : text;
    const others = filters.filter((column) => column !== tenant);
    return [
      ...of("key", [key]),
      ...of("text", texts),
      ...of("columns", columns),
      ...of("filters", others),
      ...of("tenant", tenant === undefined ? [] : [tenant]),
      ...of("language", typeof language === "object" ? [language.column] : []),
    ];
  }
  const { email, when } = declaration;
  return [
    ...of("key", [key]),
    ...of("email", email === undefined ? [] : [email]),
    ...of("when", when === "delete" ? [] : [when]),
  ];
}

export function missingColumns(columns: readonly Column[], declaration: Declaration): DeclarationError[] {
  const names = columns.map(({ name }) => name);
  return namesOf(declaration)
    .filter(([, column]) => !names.includes(column))
    .map(([option, column]) => {
      const meant = names.find((name) => plain(name) === plain(column));
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      return problemOf(declaration)(
        option,
        `there is no column ${column}${hint} (there are ${names.join(", ")})`,
      );
    });
}

/** Why a column cannot be the key: a key is unique, never null, and stays the same as long as its row exists. */
export async function keyProblems(
  client: Connection,
  table: { oid: number; isPartitioned: boolean },
  { column, declaration }: { column: Column; declaration: Declaration },
): Promise<DeclarationError[]> {
  const { name, type, isNullable, isGenerated } = column;
  const { isUnique, isIndexed } = await readKeyIndexes(client, { oid: table.oid, column: name });
  const problems: string[] = [];
  if (!keyTypeOf(column))
    problems.push(`${name} is of type ${type}; a key is a smallint, integer, bigint, uuid, text or varchar`);
  if (isNullable)
    problems.push(`${name} may be null; a key is never null: alter table … alter column … set not null`);
  if (isGenerated)
    problems.push(`${name} is a generated column, which Postgres does not publish; name a stored one`);
  // Postgres requires the partition key in every unique index.
  if (table.isPartitioned && !isIndexed)
    problems.push(
      `no index of the partitioned table begins with ${name}: create one, so that rows can be found by it`,
    );
  if (!table.isPartitioned && !isUnique)
    problems.push(
      `${name} has no unique index of its own: name the primary key, or create a unique index on ${name} alone`,
    );
  return problems.map((problem) => problemOf(declaration)("key", problem));
}

/** Why the other columns of a deletion cannot mean what they are declared to mean. */
export function deletionProblems(columns: readonly Column[], declaration: Declaration): DeclarationError[] {
  if (declaration.kind !== "deletion") return [];
  const problem = problemOf(declaration);
  const find = (name: string | undefined) => columns.find((column) => column.name === name);
  const [email, mark] = [find(declaration.email), find(declaration.when)];
  const problems: DeclarationError[] = [];
  for (const [option, column] of Object.entries({ email, when: mark }))
    if (column?.isGenerated)
      problems.push(
        problem(
          option,
          `${column.name} is a generated column, which Postgres does not publish; name a stored one`,
        ),
      );
  if (declaration.when === "delete" || !mark) return problems;
  if (mark.type === "boolean" || !mark.isNullable)
    problems.push(
      problem(
        "when",
        `a row counts as deleted while ${mark.name} is not null, but it is ${mark.type === "boolean" ? "a boolean, and false is not null" : "never null"}: name a column that is null until the row is deleted, such as deleted_at`,
      ),
    );
  return problems;
}
