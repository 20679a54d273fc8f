import { isFromOwnPage } from "../../../lib/access/is-from-own-page.ts";
import { posts } from "../../../lib/embeddings/posts.ts";
import { retryFailed } from "../../../lib/embeddings/retry-failed.ts";
import { rootMessageOf, UnavailableError } from "../../../lib/errors.ts";
import { log } from "../../../lib/log.ts";

/** The status page's button: tries the posts again that the provider refused, and goes back to the page. */
export async function POST(request: Request): Promise<Response> {
  if (!isFromOwnPage(request))
    return Response.json({ error: "Only the status page may ask for this" }, { status: 403 });
  try {
    await retryFailed(posts);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    log("error", "retry_failed.unavailable", { cause: rootMessageOf(error) });
    return Response.json({ error: error.message }, { status: 503 });
  }
  return new Response(null, { status: 303, headers: { location: "/" } });
}
