import { declarationsOf, embeddingsOf } from "../declare/declarations.ts";
import { InvalidSearchError } from "../search/options.ts";
import { searchRequest } from "../search/request.ts";
import { search } from "../search/search.ts";
import { SearchUnavailableError } from "../search/unavailable.ts";

/**
 * The handler of `GET /api/search?q=&in=&limit=&after=&where[column]=`: what {@link search} finds in a declared table.
 *
 * @example
 * export const GET = searchRoute(config);
 */
export function searchRoute(config: object): (request: Request) => Promise<Response> {
  const declarations = embeddingsOf(declarationsOf(config));
  return async (request) => {
    try {
      const { declaration, options } = searchRequest(declarations, new URL(request.url).searchParams);
      return Response.json(await search(declaration, options));
    } catch (error) {
      if (error instanceof InvalidSearchError)
        return Response.json({ error: error.message }, { status: 400 });
      if (error instanceof SearchUnavailableError)
        return Response.json({ error: error.message }, { status: 503 });
      throw error;
    }
  };
}
