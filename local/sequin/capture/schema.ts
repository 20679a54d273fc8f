import { escapeIdentifier, escapeLiteral } from "pg";

/** Sorts before other triggers and before foreign-key triggers, so a parent's change precedes its cascades. */
export function triggerName(schema: string): string {
  return `00_${schema}`;
}

/**
 * The statements that create everything the stand-in keeps: its tables and the trigger function.
 * They may run again at every start.
 *
 * `last_lsn` starts at the current time in microseconds, so that a schema which is dropped and made again
 * never repeats an idempotency key; a fresh number is under 2^53 until the year 2255.
 */
export function schemaSql(schema: string): string {
  const s = escapeIdentifier(schema);
  return `
create schema if not exists ${s};
create table if not exists ${s}.state (
  only_row boolean primary key default true check (only_row),
  last_lsn bigint not null
);
insert into ${s}.state (last_lsn) values ((extract(epoch from clock_timestamp()) * 1000000)::bigint)
  on conflict do nothing;
create table if not exists ${s}.source (
  name text primary key,
  id uuid not null default gen_random_uuid()
);
create table if not exists ${s}.sink (
  id uuid primary key default gen_random_uuid(),
  name text not null unique
);
create table if not exists ${s}.backfill (
  id uuid primary key default gen_random_uuid(),
  sink_id uuid not null references ${s}.sink on delete cascade,
  table_schema text not null,
  table_name text not null,
  sort_column text,
  start_position text,
  last_key text[],
  rows_read bigint not null default 0,
  done boolean not null default false,
  created_at timestamptz not null default now()
);
create table if not exists ${s}.change (
  id bigint generated always as identity primary key,
  xid xid8,
  at timestamptz not null default clock_timestamp(),
  relation oid not null,
  table_schema text not null,
  table_name text not null,
  action text not null,
  full_identity boolean not null default false,
  columns json not null,
  old_row text,
  new_row text,
  held_out_of_line text[],
  backfill_id uuid references ${s}.backfill on delete cascade,
  commit_lsn bigint,
  commit_idx integer,
  committed_at timestamptz,
  routed boolean not null default false
);
create index if not exists change_not_routed on ${s}.change (id) where not routed;
create table if not exists ${s}.delivery (
  id bigint generated always as identity primary key,
  sink_id uuid not null references ${s}.sink on delete cascade,
  change_id bigint not null references ${s}.change on delete cascade,
  group_key text,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'discarded')),
  deliver_count integer not null default 0,
  not_before timestamptz,
  http_status integer,
  answer text,
  took_ms integer,
  updated_at timestamptz not null default now()
);
create index if not exists delivery_by_status on ${s}.delivery (sink_id, status, id);
create index if not exists delivery_by_change on ${s}.delivery (change_id);
${columnsFunction(s)}
${captureFunction(s, schema)}
${readPageFunction(s)}`;
}

/** What `pgoutput` prints a value with, so that a change and its stored text do not depend on the session. */
const OUTPUT_SETTINGS = `set search_path = pg_catalog, pg_temp
  set "TimeZone" = 'UTC'
  set "DateStyle" = 'ISO, MDY'
  set "IntervalStyle" = 'postgres'
  set bytea_output = 'hex'
  set extra_float_digits = 1`;

function columnsFunction(s: string): string {
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
    a.attgenerated <> ''
  ) order by a.attnum)
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_index pk on pk.indrelid = c.oid and pk.indisprimary
  left join pg_index ri on ri.indrelid = c.oid and ri.indisreplident
  where c.oid = relation
$$;`;
}

function captureFunction(s: string, schema: string): string {
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
    execute format('select array_remove(array[%s], null) from only %s t where t.ctid = $1', test_list, tg_relid::regclass)
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

function readPageFunction(s: string): string {
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
       select %6$L, %7$L, %8$L, ''read'', ${s}.columns_of(%6$L), row_text, %9$L, clock_timestamp() from page order by place
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
    relation::oid, wanted.table_schema, wanted.table_name, wanted_id
  ) into read;
  return read;
end $$;`;
}
