import type { Declaration } from "./declare/declaration.ts";
import { routeOf } from "./declare/names.ts";
import { receive } from "./ingress/receive.ts";
import { withHandler } from "./with-handler.ts";

type Serve = (request: Request) => Promise<Response>;

/**
 * The route handler of a declared table. Sequin's webhook sink delivers the table's changes to it.
 *
 * @example
 * export const POST = serve(posts);
 */
export const serve = (declaration: Declaration): Serve =>
  withHandler<Serve>(declaration, (handler) => (request) => receive(request, handler));

/**
 * One route handler for many declared tables, each under its own path; 404 for any other path.
 *
 * @example
 * // app/api/[route]/route.ts
 * export const POST = serveAll(declarationsOf(config));
 */
export function serveAll(declarations: readonly Declaration[]): Serve {
  const byRoute = new Map(declarations.map((declaration) => [routeOf(declaration), serve(declaration)]));
  return async (request) => {
    const handle = byRoute.get(new URL(request.url).pathname);
    return handle ? handle(request) : Response.json({ error: "Not found" }, { status: 404 });
  };
}
