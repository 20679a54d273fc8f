import { database } from "../db/database.ts";
import { declarationsOf, embeddingsOf } from "../declare/declarations.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { retryFailed } from "../status/retry-failed.ts";
import { isFromOwnPage } from "./is-from-own-page.ts";

/**
 * The handler of `POST /api/retry-failed`, the status page's button: retries the failed rows of a table now, and
 * returns to the page.
 *
 * @example
 * export const POST = retryFailedRoute(config);
 */
export function retryFailedRoute(config: object): (request: Request) => Promise<Response> {
  const declarations = embeddingsOf(declarationsOf(config));
  return async (request) => {
    if (!isFromOwnPage(request))
      return Response.json({ error: "Only the status page may ask for this" }, { status: 403 });
    const source = new URLSearchParams(await request.text()).get("source");
    const declaration = declarations.find(({ row }) => row === source);
    if (!declaration) return Response.json({ error: "source: must be a declared row" }, { status: 400 });
    const db = database();
    try {
      await retryFailed(db, declaration);
    } catch (error) {
      log("error", "retry_failed.unavailable", { cause: rootMessageOf(error) });
      const problem = "The failed rows could not be retried now; try again in a moment";
      return Response.json({ error: problem }, { status: 503 });
    }
    return new Response(null, { status: 303, headers: { location: "/" } });
  };
}
