import type { Declaration, EmbeddingDeclaration } from "./declaration.ts";

/** `post` gives `postId`, `blog-post` gives `blogPostId`. */
export const idName = ({ row }: { row: string }) =>
  `${row.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())}Id`;

const MOST_TAG_CHARS = 128;

/** The tag of all runs about one row, such as `post:17`. Trigger.dev accepts 128 characters, so longer keys are cut. */
export const tagOf = ({ row }: { row: string }, rowId: string) => `${row}:${rowId}`.slice(0, MOST_TAG_CHARS);

/** The tasks of an embedded table: one row, many rows, the schedule that maintains all of it, and the vector index. */
export const embeddingTaskIds = ({ row, rows }: Pick<EmbeddingDeclaration, "row" | "rows">) => ({
  one: `create-embedding-for-${row}`,
  many: `create-embeddings-for-${rows}`,
  reconcile: `reconcile-${row}-embeddings`,
  index: `index-${row}-embeddings`,
});

/** The tasks of a deletion. The tasks of its steps are the same for all declarations. */
export const deletionTaskIds = ({ row }: { row: string }) => ({
  cleanup: `${row}-deletion-cleanup`,
  resume: `resume-${row}-deletions`,
});

/** The path to which Sequin delivers a declared table's changes. */
export function routeOf(declaration: Declaration): string {
  if (declaration.kind === "embedding") return `/api/${embeddingTaskIds(declaration).one}`;
  return declaration.kind === "deletion" ? `/api/delete-${declaration.row}` : `/api/${declaration.task}`;
}
