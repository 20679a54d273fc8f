import type { Client } from "pg";
import { spelled } from "../catalog/problem.ts";
import type { TableName } from "../db/identifiers.ts";
import { withLongConnection } from "../db/long-connection.ts";
import type { Declaration } from "../declare/declaration.ts";
import { fromSequin } from "../declare/declarations.ts";
import { addToPublicationSql, PUBLICATION, publicationSql } from "../sequin-config/publication.ts";
import { extensionSql, grantsSql, settingsSql } from "./grants.ts";
import { type MigrateOptions, planMigration } from "./plan.ts";

/** A declared table: whether it has row-level security, and whether the publication, if it exists, contains it. */
type Facts = TableName & { isSecured: boolean; hasPublication: boolean; isPublished: boolean };

const isOf =
  (facts: TableName) =>
  ({ table }: Declaration) =>
    table.schema === facts.schema && table.name === facts.name;

async function readFacts(client: Client, declarations: readonly Declaration[]): Promise<Facts[]> {
  const { rows } = await client.query<Facts>(
    `select distinct n.nspname as schema, c.relname as name, c.relrowsecurity as "isSecured",
       p.oid is not null as "hasPublication", coalesce(p.puballtables or exists (
         select from pg_publication_rel r where r.prpubid = p.oid and r.prrelid = c.oid), false) as "isPublished"
     from unnest($1::text[], $2::text[]) as d (schema, name)
     join pg_namespace n on n.nspname = d.schema join pg_class c on c.relnamespace = n.oid and c.relname = d.name
     left join pg_publication p on p.pubname = $3 order by 1, 2`,
    [declarations.map(({ table }) => table.schema), declarations.map(({ table }) => table.name), PUBLICATION],
  );
  return rows;
}

/** The schema where pgvector is, or will be created. */
async function readExtension(client: Client) {
  const { rows } = await client.query<{ schema: string; database: string }>(
    `select coalesce((select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
       where e.extname = 'vector'), current_schema(), 'public') as schema, current_database() as database`,
  );
  if (!rows[0]) throw new Error("the database answered without a row");
  return rows[0];
}

function publicationLines(facts: readonly Facts[], all: readonly Declaration[]): string[] {
  const declarations = fromSequin(all);
  const missing = facts.filter((fact) => !fact.isPublished && declarations.some(isOf(fact)));
  if (missing.length === 0) return [];
  const hasPublication = facts.some((fact) => fact.hasPublication);
  return [
    "-- Sequin creates its slot itself, after this: a slot does not see tables that were published later.",
    `${hasPublication ? addToPublicationSql(missing) : publicationSql(declarations)};`,
    "",
  ];
}

/**
 * The SQL that migrate would run, the publication, and the roles with the least privileges each needs, for someone
 * whose role may run it. Writes nothing. Rejects like migrate.
 */
export async function printMigration({ url, declarations, model }: MigrateOptions): Promise<string> {
  return withLongConnection(url, async (client) => {
    await client.query("set default_transaction_read_only = on");
    const { steps, notes } = await planMigration(client, { declarations, model });
    const facts = await readFacts(client, declarations);
    const extension = await readExtension(client);
    const secured = facts.filter(({ isSecured }) => isSecured).map(spelled);
    return [
      ...notes.map((note) => `-- ${note}\n`),
      ...steps.map(({ name, sql }) => `-- ${name}\nbegin;\n${sql}\ncommit;\n`),
      ...grantsSql(declarations, secured),
      ...extensionSql(extension),
      ...settingsSql(extension.database),
      "",
      ...publicationLines(facts, declarations),
    ].join("\n");
  });
}
