import type { Declaration } from "./declare/declaration.ts";
import { routeOf } from "./declare/names.ts";
import { deletionHandler } from "./deletions/deletion-handler.ts";
import { embeddingHandler } from "./embeddings/embedding-handler.ts";
import type { Handler } from "./ingress/outcome.ts";
import { receive } from "./ingress/receive.ts";
import { triggerHandler } from "./triggers/trigger-handler.ts";

type Serve = (request: Request) => Promise<Response>;

// One handler for all requests, because it counts edits.
const handledBy =
  <A>(handler: Handler<A>): Serve =>
  (request) =>
    receive(request, handler);

/**
 * The route handler of a declared table. Sequin's webhook sink delivers the table's changes to it.
 *
 * @example
 * export const POST = serve(posts);
 */
export function serve(declaration: Declaration): Serve {
  switch (declaration.kind) {
    case "embedding":
      return handledBy(embeddingHandler(declaration));
    case "deletion":
      return handledBy(deletionHandler(declaration));
    case "trigger":
      return handledBy(triggerHandler(declaration));
  }
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
