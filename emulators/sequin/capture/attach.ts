import type { Log } from "@aftercommit/local-shared/log.ts";
import { escapeIdentifier, type Pool } from "pg";
import { z } from "zod";
import type { Table } from "../config/source.ts";
import { triggerName } from "./schema.ts";

const rows = z.array(z.object({ schema: z.string(), name: z.string(), attached: z.boolean() }));

/** A table of the database, and whether its changes are captured. */
export type Present = { table: Table; captured: boolean };

/**
 * Creates and drops triggers to match the tables that the sinks want, and returns every table. A table that does not
 * exist yet gets its triggers when it appears. Partitions inherit their parent's. The triggers are ENABLE ALWAYS
 * because logical decoding also sees changes made under session_replication_role.
 */
export async function attachTriggers(
  pool: Pool,
  schema: string,
  wanted: (table: Table) => boolean,
  log: Log,
): Promise<Present[]> {
  const found = await pool.query(
    `select n.nspname as schema, c.relname as name, count(t.oid) = 2 as attached
     from pg_class c
     join pg_namespace n on n.oid = c.relnamespace
     left join pg_trigger t on t.tgrelid = c.oid and t.tgname = any($2) and t.tgenabled = 'A'
     where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence = 'p'
       and n.nspname <> $1 and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
     group by n.nspname, c.relname`,
    [schema, [triggerName(schema), `${triggerName(schema)}_truncate`]],
  );
  const present: Present[] = [];
  for (const { attached, ...table } of rows.parse(found.rows)) {
    if (attached === wanted(table)) {
      present.push({ table, captured: attached });
      continue;
    }
    try {
      await pool.query(attached ? detachSql(schema, table) : attachSql(schema, table));
      log(`${attached ? "left" : "watching"} ${table.schema}.${table.name}`);
      present.push({ table, captured: !attached });
    } catch (error) {
      // Usually a lock that someone else has; the other tables must not wait for it.
      log(`${table.schema}.${table.name}: ${error instanceof Error ? error.message : error}; trying again`);
      present.push({ table, captured: attached });
    }
  }
  return present;
}

/** Several statements in one message are one transaction, so a lock that cannot be taken leaves nothing behind. */
function attachSql(schema: string, table: Table): string {
  const on = `${escapeIdentifier(table.schema)}.${escapeIdentifier(table.name)}`;
  const each = escapeIdentifier(triggerName(schema));
  const truncate = escapeIdentifier(`${triggerName(schema)}_truncate`);
  const run = `${escapeIdentifier(schema)}.capture()`;
  return `
set local lock_timeout = '2s';
create or replace trigger ${each} after insert or update or delete on ${on} for each row execute function ${run};
create or replace trigger ${truncate} after truncate on ${on} for each statement execute function ${run};
alter table ${on} enable always trigger ${each};
alter table ${on} enable always trigger ${truncate};`;
}

function detachSql(schema: string, table: Table): string {
  const on = `${escapeIdentifier(table.schema)}.${escapeIdentifier(table.name)}`;
  return `
set local lock_timeout = '2s';
drop trigger if exists ${escapeIdentifier(triggerName(schema))} on ${on};
drop trigger if exists ${escapeIdentifier(`${triggerName(schema)}_truncate`)} on ${on};`;
}
