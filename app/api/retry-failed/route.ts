import { isFromOwnPage } from "../../../lib/access/is-from-own-page.ts";
import { posts } from "../../../lib/embeddings/posts.ts";
import { retryFailed } from "../../../lib/embeddings/retry-failed.ts";

/** The status page's button: tries the posts again that the provider refused, and goes back to the page. */
export async function POST(request: Request): Promise<Response> {
  if (!isFromOwnPage(request))
    return Response.json({ error: "Only the status page may ask for this" }, { status: 403 });
  await retryFailed(posts);
  return new Response(null, { status: 303, headers: { location: "/" } });
}
