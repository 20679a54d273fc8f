const singular = (table: string) => table.replace(/ies$/, "y").replace(/(?<=[^s])s$/, "");

/** `BlogPosts` gives `blog-posts`. */
export const words = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");

/** The name of one row of a table: `blog_posts` gives `blog-post`. */
export const rowOf = (table: string) => words(singular(table));

/** The variable of a table's declaration: `blog_posts` gives `blogPosts`. */
export const variableOf = (table: string) =>
  words(table).replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
