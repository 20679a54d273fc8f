import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { withoutExcluded } from "./word-query.ts";

/** A value that a column is compared with. Postgres reads it as the column's type. */
export type WhereValue = string | number | bigint | boolean | Date | null;

/** A condition on a column: a value, one of several values, or comparisons. */
export type WhereCondition =
  | WhereValue
  | readonly WhereValue[]
  | {
      eq?: WhereValue;
      ne?: WhereValue;
      gt?: WhereValue;
      gte?: WhereValue;
      lt?: WhereValue;
      lte?: WhereValue;
      in?: readonly WhereValue[];
    };

/** How to search. `hybrid` is by words and by meaning. */
export const MODES = ["hybrid", "words", "meaning"] as const;
export type SearchMode = (typeof MODES)[number];

/** Among which rows to look for similar ones, and how many to return. */
export type SimilarOptions = {
  /** Conditions on columns that the declaration lists as `filters`. All of them must hold. */
  where?: Readonly<Record<string, WhereCondition>>;
  /** How many results a page has, from 1 to 50; 10 by default. */
  limit?: number;
  /** The `next` of the page before. */
  after?: string;
  /** Leaves out results with a lower score. */
  minScore?: number;
};

/** What to search for, and among which rows. */
export type SearchOptions = SimilarOptions & {
  /** What to search for, at most 1,000 characters: words, `"a phrase"`, `-excluded` and `prefix*`. */
  query: string;
  /** `hybrid` by default. `words` needs no embedding provider. */
  mode?: SearchMode;
};

/**
 * A search that cannot be made. The message names the option and is safe to show.
 *
 * @example
 * if (error instanceof InvalidSearchError) return Response.json({ error: error.message }, { status: 400 });
 */
export class InvalidSearchError extends Error {
  override readonly name = "InvalidSearchError";
}

/**
 * There is no row of this key to compare with, or it has no vectors. The message is safe to show.
 *
 * @example
 * if (error instanceof RowNotFoundError) return Response.json({ error: error.message }, { status: 404 });
 */
export class RowNotFoundError extends Error {
  override readonly name = "RowNotFoundError";
}

const MOST_CHARACTERS = 1_000;
const MOST_RESULTS = 50;

const isOneValue = (condition: WhereCondition | undefined) =>
  ["string", "number", "bigint", "boolean"].includes(typeof condition);

/** Who forgets the tenant, or names several, gets nothing rather than the rows of others. */
function requireTenant({ tenant }: EmbeddingDeclaration, where: NonNullable<SimilarOptions["where"]>): void {
  if (tenant !== undefined && !isOneValue(Object.hasOwn(where, tenant) ? where[tenant] : undefined))
    throw new InvalidSearchError(`where.${tenant}: must be one value: the tenant to search for`);
}

/** Checks what all searches have in common, and fills in what was left out. */
export function checkSimilarOptions(declaration: EmbeddingDeclaration, options: SimilarOptions) {
  const { filters } = declaration;
  const { where = {}, limit = 10, after, minScore = 0 } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_RESULTS)
    throw new InvalidSearchError(`limit: must be a whole number from 1 to ${MOST_RESULTS}`);
  if (!(minScore >= 0 && minScore <= 1)) throw new InvalidSearchError("minScore: must be from 0 to 1");
  for (const column of Object.keys(where))
    if (!filters.includes(column))
      throw new InvalidSearchError(
        filters.length > 0
          ? `where.${column}: is not a filter; there are ${filters.join(", ")}`
          : `where.${column}: is not a filter, and the declaration has none`,
      );
  requireTenant(declaration, where);
  return { where, limit, after, minScore };
}

/** Checks the options of a search and fills in what was left out. */
export function checkOptions(declaration: EmbeddingDeclaration, options: SearchOptions) {
  const { mode = "hybrid" } = options;
  const query = options.query.trim();
  if (query === "") throw new InvalidSearchError("query: is empty");
  if (withoutExcluded(query) === "") throw new InvalidSearchError("query: has only words to exclude");
  if (query.length > MOST_CHARACTERS)
    throw new InvalidSearchError(`query: is longer than ${MOST_CHARACTERS} characters`);
  if (!MODES.includes(mode)) throw new InvalidSearchError(`mode: must be one of ${MODES.join(", ")}`);
  return { query, mode, ...checkSimilarOptions(declaration, options) };
}
