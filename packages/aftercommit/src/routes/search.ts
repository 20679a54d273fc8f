import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { declarationsOf, embeddingsOf } from "../declare/declarations.ts";
import { InvalidSearchError, RowNotFoundError, type SearchOptions } from "../search/options.ts";
import type { SearchPage } from "../search/page.ts";
import { searchRequest } from "../search/request.ts";
import { search } from "../search/search.ts";
import { similar } from "../search/similar.ts";
import { SearchUnavailableError } from "../search/unavailable.ts";

type Asked = { declaration: EmbeddingDeclaration; options: SearchOptions; parameters: URLSearchParams };

function statusOf(error: unknown): number {
  if (error instanceof InvalidSearchError) return 400;
  if (error instanceof RowNotFoundError) return 404;
  if (error instanceof SearchUnavailableError) return 503;
  throw error;
}

/** Answers with a page, or with why there is none. */
function answerWith(config: object, find: (asked: Asked) => Promise<SearchPage>) {
  const declarations = embeddingsOf(declarationsOf(config));
  return async (request: Request): Promise<Response> => {
    try {
      const parameters = new URL(request.url).searchParams;
      return Response.json(await find({ ...searchRequest(declarations, parameters), parameters }));
    } catch (error) {
      const status = statusOf(error);
      return Response.json({ error: error instanceof Error ? error.message : "" }, { status });
    }
  };
}

/**
 * The handler of `GET /api/search?q=&in=&limit=&after=&where[column]=`: what {@link search} finds in a declared table.
 *
 * @example
 * export const GET = searchRoute(config);
 */
export const searchRoute = (config: object): ((request: Request) => Promise<Response>) =>
  answerWith(config, ({ declaration, options }) => search(declaration, options));

/**
 * The handler of `GET /api/similar?id=&in=&limit=&after=&where[column]=`: what {@link similar} finds in a declared table.
 *
 * @example
 * export const GET = similarRoute(config);
 */
export const similarRoute = (config: object): ((request: Request) => Promise<Response>) =>
  answerWith(config, async ({ declaration, options, parameters }) => {
    const id = parameters.get("id");
    if (!id) throw new InvalidSearchError("id: must be the key of a row");
    return similar(declaration, id, options);
  });
