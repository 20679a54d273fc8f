import * as config from "../../../aftercommit.config.ts";
import { declarationsOf, embeddingsOf } from "../../../packages/aftercommit/src/declarations.ts";
import { InvalidSearchError, searchQuery } from "../../../packages/aftercommit/src/search/query.ts";
import { SearchUnavailableError, searchRows } from "../../../packages/aftercommit/src/search/search.ts";

export async function GET(request: Request): Promise<Response> {
  const { searchParams } = new URL(request.url);
  try {
    const { declaration, ...query } = searchQuery(embeddingsOf(declarationsOf(config)), {
      q: searchParams.get("q"),
      limit: searchParams.get("limit"),
      in: searchParams.get("in"),
    });
    const found = await searchRows(declaration, query);
    return Response.json({ results: found.map(({ columns, ...row }) => ({ ...columns, ...row })) });
  } catch (error) {
    if (error instanceof InvalidSearchError) return Response.json({ error: error.message }, { status: 400 });
    if (error instanceof SearchUnavailableError)
      return Response.json({ error: error.message }, { status: 503 });
    throw error;
  }
}
