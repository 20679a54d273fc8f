import { declarationsOf } from "../declare/declarations.ts";
import { healthOf } from "../status/health.ts";

/**
 * The handler of `GET /api/health`: 200 if the database and Trigger.dev answer and the database has this version's
 * migrations and declarations, otherwise 503 with the names of the failing parts.
 *
 * @example
 * export const GET = healthRoute(config);
 */
export function healthRoute(config: object): (request: Request) => Promise<Response> {
  const health = healthOf(declarationsOf(config));
  return async (request) => {
    // Next.js calls a handler that does not read its request once, at build time.
    void request.url;
    const failing = await health();
    const headers = { "cache-control": "no-store" };
    if (failing.length > 0) return Response.json({ status: "failing", failing }, { status: 503, headers });
    return Response.json({ status: "ok" }, { headers });
  };
}
