import { declarationsOf } from "../declare/declarations.ts";
import { healthOf } from "../status/health.ts";

/**
 * The handler of `GET /api/health`: 200 if the database and Trigger.dev answer and the database has this version's
 * migrations and declarations, otherwise 503 with the names of the failing parts. That is a readiness probe. With `?live`,
 * it asks nothing and answers 200 as long as this process does: a liveness probe, which must not restart an app because
 * its database is down.
 *
 * @example
 * export const GET = healthRoute(config);
 */
export function healthRoute(config: object): (request: Request) => Promise<Response> {
  const health = healthOf(declarationsOf(config));
  return async (request) => {
    const headers = { "cache-control": "no-store" };
    // Next.js calls a handler that does not read its request once, at build time.
    if (new URL(request.url).searchParams.has("live")) return Response.json({ status: "ok" }, { headers });
    const failing = await health();
    if (failing.length > 0) return Response.json({ status: "failing", failing }, { status: 503, headers });
    return Response.json({ status: "ok" }, { headers });
  };
}
