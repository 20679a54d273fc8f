import { InvalidSearchError, searchQuery } from "../../../lib/search/query.ts";
import { SearchUnavailableError, searchPosts } from "../../../lib/search/search-posts.ts";

export async function GET(request: Request): Promise<Response> {
  const { searchParams } = new URL(request.url);
  try {
    const query = searchQuery({ q: searchParams.get("q"), limit: searchParams.get("limit") });
    return Response.json({ results: await searchPosts(query) });
  } catch (error) {
    if (error instanceof InvalidSearchError) return Response.json({ error: error.message }, { status: 400 });
    if (error instanceof SearchUnavailableError)
      return Response.json({ error: error.message }, { status: 503 });
    throw error;
  }
}
