import { declarationsOf, embeddingsOf } from "../declare/declarations.ts";
import { InvalidSearchError, searchQuery } from "../search/query.ts";
import { SearchUnavailableError, searchRows } from "../search/search.ts";

/**
 * The handler of `GET /api/search?q=&limit=&in=`: the rows of a declared table that are closest in meaning to `q`.
 *
 * @example
 * export const GET = searchRoute(config);
 */
export function searchRoute(config: object): (request: Request) => Promise<Response> {
  const declarations = embeddingsOf(declarationsOf(config));
  return async (request) => {
    const { searchParams } = new URL(request.url);
    try {
      const { declaration, ...query } = searchQuery(declarations, {
        q: searchParams.get("q"),
        limit: searchParams.get("limit"),
        in: searchParams.get("in"),
      });
      const found = await searchRows(declaration, query);
      return Response.json({ results: found.map(({ columns, ...row }) => ({ ...columns, ...row })) });
    } catch (error) {
      if (error instanceof InvalidSearchError)
        return Response.json({ error: error.message }, { status: 400 });
      if (error instanceof SearchUnavailableError)
        return Response.json({ error: error.message }, { status: 503 });
      throw error;
    }
  };
}
