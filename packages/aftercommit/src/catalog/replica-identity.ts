import type { DeclarationError } from "../declaration-error.ts";
import type { Declaration } from "../declare/declaration.ts";
import { problemOf } from "./problem.ts";
import type { Connection } from "./read-table.ts";

/** A table or one of its partitions, and the columns that the log contains for an updated or deleted row. */
type Identity = { table: string; isWhole: boolean; columns: string[] };

async function readIdentities(client: Connection, oid: number): Promise<Identity[]> {
  const { rows } = await client.query<Identity>(
    `select format('%I.%I', n.nspname, c.relname) as table, c.relreplident = 'f' as "isWhole", array(
       select a.attname::text from pg_index i
       join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1])
       where i.indrelid = c.oid and i.indimmediate and case c.relreplident
         when 'd' then i.indisprimary when 'i' then i.indisreplident else false end) as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and (c.oid = $1 or c.oid in (select relid from pg_partition_tree($1)))
     order by 1`,
    [oid],
  );
  return rows;
}

const MOST_NAMED = 3;

function fixOf(tables: readonly Identity[]): string {
  const named = tables.slice(0, MOST_NAMED).map(({ table }) => `alter table ${table} replica identity full`);
  const more = tables.length - named.length;
  return `${named.join("; ")}${more > 0 ? `, and so for ${more} more partitions` : ""}`;
}

/**
 * Whether Postgres logs what a deletion needs: the key and, if an e-mail is sent, the address. For a soft deletion the
 * mark, or the final delete of a marked row would count as another deletion.
 */
export async function replicaIdentityProblems(
  client: Connection,
  { oid, declaration }: { oid: number; declaration: Declaration },
): Promise<DeclarationError[]> {
  const problem = problemOf(declaration);
  const identities = (await readIdentities(client, oid)).filter(({ isWhole }) => !isWhole);
  const lacking = (option: string, column: string) => {
    const tables = identities.filter(({ columns }) => !columns.includes(column));
    const text = `the log of a deleted row has no ${column}, since it is not in the replica identity: ${fixOf(tables)}`;
    return tables.length > 0 ? [problem(option, text)] : [];
  };

  const nameless = identities.filter(({ columns }) => columns.length === 0);
  if (nameless.length > 0)
    return [
      problem(
        "table",
        `has no replica identity, so Postgres refuses to update or delete its rows once it is published: ${fixOf(nameless)}`,
      ),
    ];
  const hasDeletions = declaration.kind !== "trigger" || declaration.actions.includes("delete");
  const ofKey = hasDeletions ? lacking("key", declaration.key) : [];
  if (ofKey.length > 0 || declaration.kind !== "deletion") return ofKey;
  if (declaration.when !== "delete") return lacking("when", declaration.when);
  return declaration.email === undefined ? [] : lacking("email", declaration.email);
}
