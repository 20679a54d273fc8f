const singular = (table: string) =>
  table
    .replace(/ies$/, "y")
    .replace(/(ss|sh|x)es$/, "$1")
    .replace(/(?<=[^s])s$/, "");

/** `BlogPosts` gives `blog-posts`. */
export const words = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");

/** The name of one row of a table: `blog_posts` gives `blog-post`. */
export const rowOf = (table: string) => words(singular(table));

// The words that no variable of a module may have as its name, and the names that the written files import.
const RESERVED = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false
  finally for function if implements import in instanceof interface let new null package private protected public return
  static super switch this throw true try typeof undefined var void while with yield config serve`.split(
    /\s+/,
  ),
);

/** The variable of a table's declaration: `blog_posts` gives `blogPosts`, and `case` gives `caseRows`. */
export function variableOf(table: string): string {
  const name = words(table).replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return RESERVED.has(name) ? `${name}Rows` : name;
}
