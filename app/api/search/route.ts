import { InvalidSearchError, searchQuery } from "../../../lib/search/query.ts";
import { SearchUnavailableError, search } from "../../../lib/search/search-posts.ts";

export async function GET(request: Request): Promise<Response> {
  const { searchParams } = new URL(request.url);
  try {
    const query = searchQuery({
      q: searchParams.get("q"),
      limit: searchParams.get("limit"),
      in: searchParams.get("in"),
    });
    return Response.json({ results: await search(query) });
  } catch (error) {
    if (error instanceof InvalidSearchError) return Response.json({ error: error.message }, { status: 400 });
    if (error instanceof SearchUnavailableError)
      return Response.json({ error: error.message }, { status: 503 });
    throw error;
  }
}
