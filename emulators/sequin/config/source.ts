/** A table by its two names. */
export type Table = { schema: string; name: string };

/** Which tables a sink takes. What is left out is not restricted. */
export type Source = {
  includeTables?: string[];
  excludeTables?: string[];
  includeSchemas?: string[];
  excludeSchemas?: string[];
};

/** `posts` means `public.posts`. */
export function parseTable(reference: string): Table {
  const dot = reference.indexOf(".");
  return dot < 0
    ? { schema: "public", name: reference }
    : { schema: reference.slice(0, dot), name: reference.slice(dot + 1) };
}

export function takesTable(source: Source, table: Table): boolean {
  const listed = (references: string[]) =>
    references.some((reference) => {
      const named = parseTable(reference);
      return named.schema === table.schema && named.name === table.name;
    });
  if (source.includeTables && !listed(source.includeTables)) return false;
  if (source.excludeTables && listed(source.excludeTables)) return false;
  if (source.includeSchemas && !source.includeSchemas.includes(table.schema)) return false;
  return !source.excludeSchemas?.includes(table.schema);
}
