import { OUTPUT_SETTINGS } from "./output-settings.ts";

/**
 * Reads a backfill's next rows into the outbox: those after the last key that was read, in any order, because Sequin's
 * come in no order that a receiver could rely on.
 */
export function readPageFunction(s: string): string {
  return `
create or replace function ${s}.read_page(wanted_id uuid, page_size integer) returns bigint
language plpgsql ${OUTPUT_SETTINGS} as $$
declare
  wanted ${s}.backfill;
  relation regclass;
  key_values text;
  key_columns text;
  last_values text;
  read bigint;
begin
  select * into strict wanted from ${s}.backfill where id = wanted_id;
  relation := to_regclass(format('%I.%I', wanted.table_schema, wanted.table_name));
  if relation is null then return null; end if;

  select
    string_agg(format('("~row").%I::text', k.attname), ', ' order by k.place),
    string_agg(format('("~row").%I', k.attname), ', ' order by k.place),
    string_agg(format('%L::%s', wanted.last_key[k.place], k.type), ', ' order by k.place)
  into key_values, key_columns, last_values
  from (
    select a.attname, format_type(a.atttypid, a.atttypmod) as type,
      row_number() over (order by a.attname is distinct from wanted.sort_column, array_position(i.indkey::smallint[], a.attnum)) as place
    from pg_attribute a
    left join pg_index i on i.indrelid = relation and i.indisprimary
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped
      and (a.attnum = any(i.indkey) or a.attname = wanted.sort_column)
  ) k;

  execute format(
    'with page as materialized (
       select row_number() over (order by %1$s) as place, ("~row")::text as row_text, array[%2$s]::text[] as key
       from %3$s "~row" where %4$s order by %1$s limit %5$s
     ), stored as (
       insert into ${s}.change (relation, table_schema, table_name, action, columns, new_row, backfill_id, committed_at)
       select %6$L, %7$L, %8$L, ''read'', %10$L, row_text, %9$L, clock_timestamp() from page order by random()
     )
     update ${s}.backfill set
       last_key = coalesce((select key from page order by place desc limit 1), last_key),
       rows_read = rows_read + (select count(*) from page),
       done = coalesce((select count(*) from page) < %5$s, true)
     where id = %9$L
     returning (select count(*) from page)',
    coalesce(key_columns, '("~row").ctid'),
    coalesce(key_values, ''),
    relation,
    case
      when wanted.last_key is not null then format('(%s) > (%s)', key_columns, last_values)
      when wanted.sort_column is not null then format('("~row").%I >= %L', wanted.sort_column, wanted.start_position)
      else 'true'
    end,
    case when key_columns is null then 'null' else page_size::text end,
    relation::oid, wanted.table_schema, wanted.table_name, wanted_id, ${s}.columns_of(relation)
  ) into read;
  return read;
end $$;`;
}
