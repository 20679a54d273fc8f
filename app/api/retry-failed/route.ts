import * as config from "../../../aftercommit.config.ts";
import { isFromOwnPage } from "../../../packages/aftercommit/src/access/is-from-own-page.ts";
import { declarationsOf, embeddingsOf } from "../../../packages/aftercommit/src/declarations.ts";
import { rootMessageOf, UnavailableError } from "../../../packages/aftercommit/src/errors.ts";
import { log } from "../../../packages/aftercommit/src/log.ts";
import { retryFailed } from "../../../packages/aftercommit/src/status/retry-failed.ts";

/** The status page's button: retries the failed rows of a table now, and goes back to the page. */
export async function POST(request: Request): Promise<Response> {
  if (!isFromOwnPage(request))
    return Response.json({ error: "Only the status page may ask for this" }, { status: 403 });
  const source = new URLSearchParams(await request.text()).get("source");
  const declaration = embeddingsOf(declarationsOf(config)).find(({ row }) => row === source);
  if (!declaration) return Response.json({ error: "source: must be a declared row" }, { status: 400 });
  try {
    await retryFailed(declaration);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    log("error", "retry_failed.unavailable", { cause: rootMessageOf(error) });
    return Response.json({ error: error.message }, { status: 503 });
  }
  return new Response(null, { status: 303, headers: { location: "/" } });
}
