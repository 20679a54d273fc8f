import { escapeLiteral } from "pg";
import { OUTPUT_SETTINGS } from "./output-settings.ts";

/** Describes a table's columns as they are at this moment: name, type, in primary key, in replica identity, generated, type modifier. */
export function columnsFunction(s: string): string {
  return `
create or replace function ${s}.columns_of(relation oid) returns json
language sql stable set search_path = pg_catalog, pg_temp as $$
  select json_agg(json_build_array(
    a.attname,
    a.atttypid::bigint,
    coalesce(a.attnum = any(pk.indkey), false),
    case c.relreplident
      when 'd' then coalesce(a.attnum = any(pk.indkey), false)
      when 'i' then coalesce(a.attnum = any(ri.indkey), false)
      else c.relreplident = 'f'
    end,
    a.attgenerated <> '',
    a.atttypmod
  ) order by a.attnum)
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_index pk on pk.indrelid = c.oid and pk.indisprimary
  left join pg_index ri on ri.indrelid = c.oid and ri.indisreplident
  where c.oid = relation
$$;`;
}

/**
 * The trigger function. It stores what logical decoding would show, in the changing transaction. A large value that an
 * update writes again unchanged looks like one that it left alone; both are reported as stored out of line. The names
 * of `old` and `new` are resolved at run time, so columns may come and go.
 */
export function captureFunction(s: string, schema: string): string {
  return `
create or replace function ${s}.capture() returns trigger
language plpgsql security definer ${OUTPUT_SETTINGS} as $$
declare
  root oid := coalesce(pg_partition_root(tg_relid), tg_relid);
  named record;
  shape json;
  held text[];
  test text := case when current_setting('server_version_num')::integer >= 170000
    then 'pg_column_toast_chunk_id(t.%1$I) is not null'
    -- No value over 2,040 bytes stays in its row: TOAST_TUPLE_THRESHOLD.
    else 'pg_column_size(t.%1$I) > 2040' end;
  test_list text;
begin
  select n.nspname as schema_name, c.relname as table_name, l.relreplident = 'f' as is_full, l.reltoastrelid <> 0 as has_toast
    into named
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_class l on l.oid = tg_relid
    where c.oid = root;
  shape := ${s}.columns_of(tg_relid);

  if tg_op in ('UPDATE', 'DELETE')
    and not exists (select from json_array_elements(shape) column_ where (column_->>3)::boolean) then
    raise exception 'cannot % table "%" because it does not have a replica identity and publishes %s',
      case tg_op when 'UPDATE' then 'update' else 'delete from' end, tg_table_name, lower(tg_op)
      using errcode = '55000', hint = 'Set REPLICA IDENTITY using ALTER TABLE, as production''s publication asks.';
  end if;

  if tg_op = 'UPDATE' and not named.is_full and named.has_toast then
    select string_agg(format('case when ' || test || ' then %1$L end', a.attname), ', ')
      into test_list
      from pg_attribute a
      where a.attrelid = tg_relid and a.attnum > 0 and not a.attisdropped and a.attlen = -1 and a.attgenerated = '';
    execute format('select array_remove(array[%s]::text[], null) from only %s t where t.ctid = $1', test_list, tg_relid::regclass)
      into held using new.ctid;
  end if;

  insert into ${s}.change
    (xid, relation, table_schema, table_name, action, full_identity, columns, old_row, new_row, held_out_of_line)
  values (
    pg_current_xact_id(), tg_relid, named.schema_name, named.table_name, lower(tg_op), named.is_full, shape,
    case when tg_op = 'DELETE' or (tg_op = 'UPDATE' and (named.is_full or cardinality(held) > 0)) then old::text end,
    case when tg_op in ('INSERT', 'UPDATE') then new::text end,
    held
  );
  perform pg_notify(${escapeLiteral(schema)}, '');
  return null;
end $$;`;
}
