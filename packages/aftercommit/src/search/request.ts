import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import {
  InvalidSearchError,
  MODES,
  type SearchMode,
  type SearchOptions,
  type WhereCondition,
} from "./options.ts";

const FILTER = /^where\[([^\]]+)\](?:\[([a-z]+)\])?$/;

function numberOf(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

function modeOf(text: string): SearchMode {
  const mode = MODES.find((known) => known === text);
  if (!mode) throw new InvalidSearchError(`mode: must be one of ${MODES.join(", ")}`);
  return mode;
}

/** `where[author]=Jane` and `where[created_at][gte]=2026-01-01`; a repeated parameter means one of several values. */
function whereOf(parameters: URLSearchParams): SearchOptions["where"] {
  const where = new Map<string, WhereCondition>();
  for (const name of new Set(parameters.keys())) {
    const [isFilter, column = "", operator] = FILTER.exec(name) ?? [];
    if (!isFilter) continue;
    const values = parameters.getAll(name);
    const value = values.length > 1 || operator === "in" ? values : (values[0] ?? "");
    if (operator === undefined) where.set(column, value);
    else where.set(column, { ...Object(where.get(column)), [operator]: value });
  }
  return Object.fromEntries(where);
}

/**
 * Reads a search from the query parameters of a request. `in` names a declared table by its plural name. Default: the
 * first one.
 *
 * @example
 * const { declaration, options } = searchRequest(declarations, new URL(request.url).searchParams);
 * const page = await search(declaration, options);
 * @throws {InvalidSearchError} if there is no such table
 */
export function searchRequest(
  declarations: readonly EmbeddingDeclaration[],
  parameters: URLSearchParams,
): { declaration: EmbeddingDeclaration; options: SearchOptions } {
  const table = parameters.get("in");
  const declaration = table ? declarations.find(({ rows }) => rows === table) : declarations[0];
  if (!declaration)
    throw new InvalidSearchError(`in: must be one of ${declarations.map(({ rows }) => rows).join(", ")}`);
  const [limit, minScore] = [numberOf(parameters, "limit"), numberOf(parameters, "minScore")];
  const [mode, after] = [parameters.get("mode"), parameters.get("after")];
  return {
    declaration,
    options: {
      query: parameters.get("q") ?? "",
      where: whereOf(parameters),
      ...(mode === null ? {} : { mode: modeOf(mode) }),
      ...(limit === undefined ? {} : { limit }),
      ...(minScore === undefined ? {} : { minScore }),
      ...(after === null ? {} : { after }),
    },
  };
}
