import type { Declaration } from "./declare/declaration.ts";
import { deletionHandler } from "./deletions/deletion-handler.ts";
import { embeddingHandler } from "./embeddings/embedding-handler.ts";
import type { Handler } from "./ingress/outcome.ts";
import { triggerHandler } from "./triggers/trigger-handler.ts";

/** Uses the handler of a declared table. Once for all of its changes, because a handler counts edits. */
export function withHandler<R>(declaration: Declaration, use: <A>(handler: Handler<A>) => R): R {
  switch (declaration.kind) {
    case "embedding":
      return use(embeddingHandler(declaration));
    case "deletion":
      return use(deletionHandler(declaration));
    case "trigger":
      return use(triggerHandler(declaration));
  }
}
