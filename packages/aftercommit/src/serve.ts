import type { Declaration } from "./define.ts";
import { deletionHandler } from "./deletions/deletion-handler.ts";
import { embeddingHandler } from "./embeddings/embedding-handler.ts";
import { receive } from "./ingress/receive.ts";
import { routeOf } from "./names.ts";
import { triggerHandler } from "./triggers/trigger-handler.ts";

type Serve = (request: Request) => Promise<Response>;

/**
 * The route handler of a declared table, which Sequin's webhook sink delivers its changes to.
 *
 * @example
 * export const POST = serve(posts);
 */
export function serve(declaration: Declaration): Serve {
  if (declaration.kind === "embedding") return (request) => receive(request, embeddingHandler(declaration));
  if (declaration.kind === "deletion") return (request) => receive(request, deletionHandler(declaration));
  return (request) => receive(request, triggerHandler(declaration));
}

/** One route handler for many declared tables, each under its own path; 404 for any other. */
export function serveAll(declarations: readonly Declaration[]): Serve {
  const byRoute = new Map(declarations.map((declaration) => [routeOf(declaration), serve(declaration)]));
  return async (request) => {
    const handle = byRoute.get(new URL(request.url).pathname);
    return handle ? handle(request) : Response.json({ error: "Not found" }, { status: 404 });
  };
}
