import { logUnauthorized } from "../access/log-unauthorized.ts";
import { type SearchAccess, searchAccess } from "../access/search-access.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { declarationsOf, embeddingsOf } from "../declare/declarations.ts";
import { messageOf } from "../errors.ts";
import { InvalidSearchError, RowNotFoundError, type SearchOptions } from "../search/options.ts";
import type { SearchPage } from "../search/page.ts";
import { searchRequest } from "../search/request.ts";
import { search } from "../search/search.ts";
import { similar } from "../search/similar.ts";
import { SearchUnavailableError } from "../search/unavailable.ts";

type Serve = (request: Request) => Promise<Response>;
type Asked = { declaration: EmbeddingDeclaration; options: SearchOptions; parameters: URLSearchParams };

class ForbiddenError extends Error {}

/** The options of a search by a key that is bound to a tenant: among that tenant's rows, and in no table without any. */
function boundTo(
  { tenant }: SearchAccess,
  { declaration, options }: Omit<Asked, "parameters">,
): SearchOptions {
  if (tenant === undefined) return options;
  const { tenant: column, rows } = declaration;
  if (column === undefined)
    throw new ForbiddenError(`This key is bound to a tenant, and ${rows} are declared without one`);
  const { where = {} } = options;
  if (Object.hasOwn(where, column) && where[column] !== tenant)
    throw new ForbiddenError(`where.${column}: this key is bound to another tenant`);
  return { ...options, where: { ...where, [column]: tenant } };
}

function statusOf(error: unknown): number {
  if (error instanceof ForbiddenError) return 403;
  if (error instanceof InvalidSearchError) return 400;
  if (error instanceof RowNotFoundError) return 404;
  if (error instanceof SearchUnavailableError) return 503;
  throw error;
}

/** Answers with a page, or with why there is none. `route` names it in the log. */
function answerWith(config: object, route: string, find: (asked: Asked) => Promise<SearchPage>): Serve {
  const declarations = embeddingsOf(declarationsOf(config));
  return async (request) => {
    try {
      const access = searchAccess(request);
      if (access instanceof Response) {
        // A browser first asks without a password.
        if (access.status === 401 && request.headers.has("authorization")) logUnauthorized(route);
        return access;
      }
      const parameters = new URL(request.url).searchParams;
      const asked = searchRequest(declarations, parameters);
      return Response.json(await find({ ...asked, options: boundTo(access, asked), parameters }));
    } catch (error) {
      const status = statusOf(error);
      return Response.json({ error: messageOf(error) }, { status });
    }
  };
}

/**
 * The handler of `GET /api/search?q=&in=&limit=&after=&where[column]=`: what {@link search} finds in a declared table.
 * Needs a bearer key of SEARCH_API_KEYS or, in production, DASHBOARD_PASSWORD with HTTP Basic, and does not answer pages
 * of other sites.
 *
 * @example
 * export const GET = searchRoute(config);
 */
export const searchRoute = (config: object): Serve =>
  answerWith(config, "/api/search", ({ declaration, options }) => search(declaration, options));

/**
 * The handler of `GET /api/similar?id=&in=&limit=&after=&where[column]=`: what {@link similar} finds in a declared table.
 * Needs the same as {@link searchRoute}.
 *
 * @example
 * export const GET = similarRoute(config);
 */
export const similarRoute = (config: object): Serve =>
  answerWith(config, "/api/similar", async ({ declaration, options, parameters }) => {
    const id = parameters.get("id");
    if (!id) throw new InvalidSearchError("id: must be the key of a row");
    return similar(declaration, id, options);
  });
