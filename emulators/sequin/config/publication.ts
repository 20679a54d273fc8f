import type { Table } from "./source.ts";

/** The publication that Sequin creates if the database has none of this name. */
export type Publication = {
  name: string;
  /** Undefined means every table of the database. */
  tables: Table[] | undefined;
  schemas: string[];
};

const IDENTIFIER = /"(?:[^"]|"")+"|[a-z_][\w$]*/;
const NAME = `(?:${IDENTIFIER.source})`;
const CREATE = new RegExp(`^create publication (${NAME})(?: for (.+?))?(?: with \\(.*\\))?$`, "i");
const TABLE = new RegExp(`^(?:only )?(${NAME}(?: ?\\. ?${NAME})?)(?: ?\\*)?$`, "i");

/** A name as Postgres folds it: lowercase unless quoted. */
function fold(identifier: string): string {
  return identifier.startsWith('"')
    ? identifier.slice(1, -1).replaceAll('""', '"')
    : identifier.toLowerCase();
}

function foldTable(reference: string): Table {
  const [first = "", second] = (reference.match(new RegExp(IDENTIFIER, "gi")) ?? []).map(fold);
  return second === undefined ? { schema: "public", name: first } : { schema: first, name: second };
}

/**
 * Reads the `init_sql` of sequin.yaml; without one, Sequin publishes all tables (lib/sequin/postgres/postgres.ex).
 * Throws if it is not such a statement, or uses more than names of tables and schemas.
 */
export function parsePublication(name: string, initSql: string | undefined): Publication {
  if (initSql === undefined) return { name, tables: undefined, schemas: [] };
  const [, created, what] =
    CREATE.exec(
      initSql
        .replace(/\s+/g, " ")
        .replace(/[ ;]+$/, "")
        .trim(),
    ) ?? [];
  if (!created || fold(created).toLowerCase() !== name.toLowerCase())
    throw new Error(`init_sql must be a create publication statement for "${name}"`);
  const publication: Publication = { name, tables: [], schemas: [] };
  if (what === undefined) return publication;
  if (/^all tables$/i.test(what)) return { ...publication, tables: undefined };

  let kind = "";
  for (const item of what.split(/ ?, ?/)) {
    const [, keyword, rest = item] = /^(tables in schema|table) (.+)$/i.exec(item) ?? [];
    kind = keyword?.toLowerCase() ?? kind;
    const [, named] = TABLE.exec(rest) ?? [];
    if (!kind || !named)
      throw new Error(`the local emulator reads names of tables and schemas only, not "${item}"`);
    if (kind === "table") publication.tables?.push(foldTable(named));
    else publication.schemas.push(fold(named));
  }
  return publication;
}
