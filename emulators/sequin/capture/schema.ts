import { escapeIdentifier } from "pg";
import { captureFunction, columnsFunction } from "./capture-function.ts";
import { readPageFunction } from "./read-page-function.ts";

/** Sorts before other triggers and before foreign-key triggers, so a parent's change precedes its cascades. */
export function triggerName(schema: string): string {
  return `00_${schema}`;
}

/**
 * The statements that create the emulator's tables and trigger function. They may run again at every start.
 *
 * `last_lsn` starts at the current time in microseconds, so that a schema that is dropped and recreated never repeats
 * an idempotency key. A new number is under 2^53 until the year 2255.
 */
export function schemaSql(schema: string): string {
  const s = escapeIdentifier(schema);
  return `
create schema if not exists ${s};
comment on schema ${s} is 'an emulator of Sequin captures changes by triggers';
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
  name text not null unique,
  backfills_requested boolean not null default false
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
alter table ${s}.delivery add column if not exists stuck boolean not null default false;
create index if not exists delivery_by_status on ${s}.delivery (sink_id, status, id);
create index if not exists delivery_by_change on ${s}.delivery (change_id);
${columnsFunction(s)}
${captureFunction(s, schema)}
${readPageFunction(s)}`;
}
