import type { Connection } from "../catalog/read-table.ts";
import type { TableName } from "../db/identifiers.ts";

/** A table that could be declared, with its most likely key, text columns in their order, and e-mail column. */
export type Candidate = TableName & {
  key: string;
  text: string[];
  email: string | null;
  /** The planner's last count. */
  rows: number;
};

// Of Prisma, Drizzle, Knex, Kysely, node-pg-migrate, Sequelize, TypeORM, MikroORM, Payload, Supabase and Rails, Flyway.
const MIGRATIONS = [
  ...["_prisma_migrations", "__drizzle_migrations", "knex_migrations", "knex_migrations_lock"],
  ...["kysely_migration", "kysely_migration_lock", "pgmigrations", "SequelizeMeta", "migrations"],
  ...["typeorm_metadata", "mikro_orm_migrations", "payload_migrations", "schema_migrations"],
  ...["ar_internal_metadata", "flyway_schema_history"],
];

/**
 * The tables of a database with a single-column key, as a declaration needs it, without those of migrations. The text
 * columns exclude the key, and columns named like an address, a URL, a secret or a person.
 */
export async function readCandidates(client: Connection): Promise<Candidate[]> {
  const { rows } = await client.query<Candidate>(
    `select n.nspname as schema, c.relname as name, k.attname as key, greatest(c.reltuples, 0)::float8 as rows,
       array(select a.attname::text from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attname <> k.attname
           and a.atttypid in ('text'::regtype, 'varchar'::regtype)
           and a.attname !~* '(email|url|uri|slug|password|token|secret|hash|author|status|phone|locale|name$)'
         order by a.attnum) as text,
       (select min(a.attname::text) from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attname ~* '^e_?mail') as email
     from pg_class c
     join pg_namespace n on n.oid = c.relnamespace
     join pg_index i on i.indrelid = c.oid and i.indisprimary and i.indnkeyatts = 1
     join pg_attribute k on k.attrelid = c.oid and k.attnum = i.indkey[0]
     where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^(pg_|information_schema$|aftercommit$)'
       and k.atttypid in ('bigint'::regtype, 'int'::regtype, 'smallint'::regtype, 'uuid'::regtype, 'text'::regtype,
         'varchar'::regtype)
       and coalesce(obj_description(c.oid, 'pg_class'), '') !~ '^Aftercommit: '
       and c.relname <> all($1)
     order by n.nspname <> 'public', c.reltuples desc, c.relname`,
    [MIGRATIONS],
  );
  return rows;
}

const PROSE = /^(title|body|content|text|description)$/i;
const countProse = ({ text }: Candidate) => text.filter((column) => PROSE.test(column)).length;

/** The table that is most likely searched by meaning: of the first schema with a text, the one with the most prose. */
export function proposeEmbedding(candidates: readonly Candidate[]): Candidate | undefined {
  const withText = candidates.filter(({ text }) => text.length > 0);
  const near = withText.filter(({ schema }) => schema === withText[0]?.schema);
  return near.toSorted((one, other) => countProse(other) - countProse(one))[0];
}

/** The table whose deleted rows most likely have to be cleaned up in other systems. */
export const proposeDeletion = (candidates: readonly Candidate[]): Candidate | undefined =>
  candidates.find(({ name, email }) => email !== null && /user|account|member|customer/i.test(name));

// Four characters of English are about one token.
const CHARACTERS_A_TOKEN = 4;
const SAMPLE = 1_000;

/** Estimates the tokens to embed a table. Reads a sample of its rows. */
export async function estimateTokens(
  client: Connection,
  { quotedTable, text, rows }: { quotedTable: string; text: readonly string[]; rows: number },
): Promise<number> {
  const { rows: found } = await client.query<{ characters: number | null; rows: number }>(
    `select avg(length(concat_ws(' ', ${text.join(", ")})))::float8 as characters, count(*)::float8 as rows
     from (select * from ${quotedTable} limit ${SAMPLE}) as sample`,
  );
  const { characters, rows: sampled } = found[0] ?? { characters: 0, rows: 0 };
  return Math.round(((characters ?? 0) * Math.max(rows, sampled)) / CHARACTERS_A_TOKEN);
}
