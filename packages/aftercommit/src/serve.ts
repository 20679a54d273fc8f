import type { Declaration } from "./declare/declaration.ts";
import { routeOf } from "./declare/names.ts";
import { receive } from "./ingress/receive.ts";
import { withHandler } from "./with-handler.ts";

type Serve = (request: Request) => Promise<Response>;

/**
 * The route handler of a declared table, to which its source delivers the changes. Of several tables, if the source has
 * one address for all of them, as Debezium Server does.
 *
 * @example
 * export const POST = serve(posts);
 */
export function serve(...declarations: [Declaration, ...Declaration[]]): Serve {
  const [first, ...others] = declarations.map((declaration) =>
    withHandler<Serve>(declaration, (handler) => (request) => receive(request, handler)),
  );
  return async (request) => {
    for (const other of others) {
      const response = await other(request.clone());
      // The source delivers all of it again, which changes nothing for the others.
      if (!response.ok) return response;
    }
    return first ? first(request) : Response.json({ error: "Not found" }, { status: 404 });
  };
}

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
