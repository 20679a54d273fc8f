import { type SQL, sql } from "drizzle-orm";
import { quotedColumn } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { InvalidSearchError, type SearchOptions, type WhereCondition, type WhereValue } from "./options.ts";

const OPERATORS = { eq: "=", ne: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

// Untyped, so that Postgres gives it the type of the column.
const parameter = (value: Exclude<WhereValue, null>) =>
  value instanceof Date ? value.toISOString() : String(value);

function isOneOf(column: SQL, values: readonly WhereValue[]): SQL {
  const known = values.filter((value) => value !== null).map(parameter);
  const one = sql`${column} = any(${sql.param(known)})`;
  return known.length < values.length ? sql`(${one} or ${column} is null)` : one;
}

function comparison(column: SQL, operator: string, value: WhereValue, name: string): SQL {
  if (value === null) {
    if (operator === "eq") return sql`${column} is null`;
    if (operator === "ne") return sql`${column} is not null`;
    throw new InvalidSearchError(`where.${name}.${operator}: must not be null`);
  }
  const symbol = Object.entries(OPERATORS).find(([known]) => known === operator)?.[1];
  if (symbol === undefined)
    throw new InvalidSearchError(
      `where.${name}.${operator}: is not an operator; there are ${Object.keys(OPERATORS).join(", ")}, in`,
    );
  return sql`${column} ${sql.raw(symbol)} ${parameter(value)}`;
}

const isList = (condition: WhereCondition): condition is readonly WhereValue[] => Array.isArray(condition);

function conditionOf(column: SQL, name: string, condition: WhereCondition): SQL[] {
  if (isList(condition)) return [isOneOf(column, condition)];
  if (condition === null || typeof condition !== "object" || condition instanceof Date)
    return [comparison(column, "eq", condition, name)];
  return Object.entries(condition).map(([operator, value]) => {
    if (operator === "in") return isOneOf(column, [value].flat());
    if (isList(value)) throw new InvalidSearchError(`where.${name}.${operator}: must be one value`);
    return comparison(column, operator, value, name);
  });
}

/** The condition on a table's tenant, which a search must have; undefined if the table has none. */
export function tenantSql(
  declaration: EmbeddingDeclaration,
  where: NonNullable<SearchOptions["where"]>,
): SQL | undefined {
  const { tenant } = declaration;
  return tenant === undefined ? undefined : filterSql(declaration, { [tenant]: where[tenant] ?? null });
}

/** The conditions of a search as SQL over the declared table; undefined if there are none. */
export function filterSql(
  { table }: EmbeddingDeclaration,
  where: NonNullable<SearchOptions["where"]>,
): SQL | undefined {
  const conditions = Object.entries(where).flatMap(([name, condition]) => {
    const column = sql.raw(`${quotedColumn(table.name)}.${quotedColumn(name)}`);
    return conditionOf(column, name, condition);
  });
  return conditions.length > 0 ? sql.join(conditions, sql` and `) : undefined;
}
