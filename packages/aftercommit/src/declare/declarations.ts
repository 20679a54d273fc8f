import { DeclarationError } from "../declaration-error.ts";
import type { Declaration, DeletionDeclaration, EmbeddingDeclaration } from "./declaration.ts";
import { routeOf } from "./names.ts";

const KINDS: ReadonlySet<unknown> = new Set([
  "embedding",
  "deletion",
  "trigger",
] satisfies Declaration["kind"][]);

export const isDeclaration = (value: unknown): value is Declaration =>
  typeof value === "object" && value !== null && "kind" in value && KINDS.has(value.kind);

/**
 * All declarations that a module exports: `declarationsOf(await import("../aftercommit.config.ts"))`.
 *
 * @example
 * import * as config from "../aftercommit.config";
 *
 * export const POST = serveAll(declarationsOf(config));
 * @throws {DeclarationError} if there are none, or if two share a name or a route
 */
export function declarationsOf(config: object): Declaration[] {
  const declarations = Object.values(config).filter(isDeclaration);
  if (declarations.length === 0)
    throw new DeclarationError(
      "exports",
      "declarations",
      "there are none: export const posts = defineEmbedding({ … })",
    );
  for (const [index, declaration] of declarations.entries()) {
    const place = `${declaration.kind} of ${JSON.stringify(declaration.row)}`;
    const others = declarations.slice(0, index);
    if (others.some(({ row }) => row === declaration.row))
      throw new DeclarationError(place, "row", "is the name of another declaration; give each its own");
    const route = routeOf(declaration);
    if (others.some((other) => routeOf(other) === route))
      throw new DeclarationError(place, "task", `${route} is another declaration's route`);
  }
  return declarations;
}

/**
 * The embedded tables among the declarations.
 *
 * @example
 * const tables = embeddingsOf(declarationsOf(config)).map(({ rows }) => rows); // ["posts", "comments"]
 */
export const embeddingsOf = (declarations: readonly Declaration[]): EmbeddingDeclaration[] =>
  declarations.filter((declaration) => declaration.kind === "embedding");

/**
 * The tables among the declarations whose deleted rows are cleaned up.
 *
 * @example
 * const rows = deletionsOf(declarationsOf(config)).map(({ row }) => row); // ["user"]
 */
export const deletionsOf = (declarations: readonly Declaration[]): DeletionDeclaration[] =>
  declarations.filter((declaration) => declaration.kind === "deletion");

/** The declarations whose changes Sequin delivers. */
export const fromSequin = (declarations: readonly Declaration[]): Declaration[] =>
  declarations.filter(({ from }) => from === "sequin");
