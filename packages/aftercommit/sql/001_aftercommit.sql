-- Everything of Aftercommit except the vectors, which are in a table next to the one that they belong to.

create table aftercommit.sources (
  name text primary key,
  kind text not null check (kind in ('embedding', 'deletion', 'trigger')),
  -- The declared table as SQL, and its OID when it was declared: a table swapped by renaming has another OID.
  table_name text not null,
  table_oid oid not null,
  key_type text not null,
  -- A hash of everything that decides what a row's vectors are made from. A worker with another one leaves the rows
  -- alone.
  fingerprint text not null,
  embeddings text,
  -- Transaction ids are valid on one timeline of one cluster.
  system_identifier text not null,
  timeline text not null,
  -- When a run of the drain was requested that has not started yet.
  woken_at timestamptz,
  reconciled_at timestamptz,
  fully_reconciled_at timestamptz,
  declared_at timestamptz not null default now()
);
comment on table aftercommit.sources is 'The tables that aftercommit.config.ts declares, as npx aftercommit migrate found them';

create sequence aftercommit.pending_version;

create table aftercommit.pending (
  source text not null references aftercommit.sources (name) on delete cascade,
  row_id text collate "C" not null,
  queue text not null check (queue in ('realtime', 'batch')),
  version bigint not null,
  -- When the change was committed; null for a backfill.
  changed_at timestamptz,
  accepted_at timestamptz not null,
  accepted_xid xid8 not null,
  -- Set after a read that may have come before the commit was visible: the row is read again when it certainly is.
  settle_xid xid8,
  next_attempt timestamptz not null,
  lease uuid,
  attempts integer not null default 0,
  error text,
  -- Whether the row's words have not been written since this version was accepted: they need no embedding model.
  words_due boolean not null default true,
  primary key (source, row_id)
) with (fillfactor = 80);
create index pending_due on aftercommit.pending (source, queue, next_attempt) where settle_xid is null;
create index pending_settling on aftercommit.pending (source, settle_xid) where settle_xid is not null;
create index pending_words on aftercommit.pending (source, queue, next_attempt) where words_due and settle_xid is null;
create index pending_failed on aftercommit.pending (source, next_attempt) where error is not null;
comment on table aftercommit.pending is 'Rows that may have changed and have not been worked on yet';

-- The runs that drain the inbox now. A run without a heartbeat for a while is dead.
create table aftercommit.drains (
  run_id text primary key,
  source text not null references aftercommit.sources (name) on delete cascade,
  seen_at timestamptz not null
);

create table aftercommit.models (
  id integer primary key generated always as identity,
  -- The name of the declared provider that serves it.
  provider text not null default 'openai',
  name text not null,
  dimensions integer not null,
  -- Whether requests ask the provider for this width, or it is the model's own.
  dimensions_asked boolean not null default false,
  -- The longest input that the model was seen to accept, if it rejected a longer one for its length.
  max_input_tokens integer,
  -- The version of the chunker.
  chunker integer not null,
  state text not null check (state in ('building', 'active', 'retired')),
  index_type text not null check (index_type in ('halfvec', 'vector')),
  created_at timestamptz not null default now(),
  -- When a model that is being built first had every row: from then on, edits write its vectors, too.
  completed_at timestamptz,
  activated_at timestamptz,
  -- The provider failed for every text: no row is tried until then.
  paused_until timestamptz,
  pause_reason text,
  constraint models_identity unique (provider, name, dimensions, chunker)
);
create unique index models_one_active on aftercommit.models (state) where state = 'active';
create unique index models_one_building on aftercommit.models (state) where state = 'building';
comment on table aftercommit.models is 'The models that vectors are made by; search answers from the active one';

-- Token buckets that all processes share: one per model, and one for Trigger.dev's API.
create table aftercommit.rate_limits (
  name text primary key,
  tokens double precision not null,
  requests double precision not null,
  inputs double precision not null default 'infinity',
  blocked_until timestamptz,
  updated_at timestamptz not null default now()
);

-- How each Trigger.dev environment answered when a process last asked.
create table aftercommit.trigger_health (
  environment text primary key,
  asked_at timestamptz not null,
  failure text
);

create table aftercommit.usage (
  day date not null,
  model text not null,
  calls integer not null,
  tokens bigint not null,
  -- How many of the tokens are those of searches.
  searched bigint not null default 0,
  primary key (day, model)
);
comment on table aftercommit.usage is 'What the embedding provider answered and charged for, by UTC day';

create table aftercommit.deletions (
  id bigint primary key generated always as identity,
  source text not null references aftercommit.sources (name),
  row_id text collate "C" not null,
  -- Distinguishes one deletion of an id from the next: the commit's position and time, or the value of the mark.
  position text not null,
  email text,
  requested_at timestamptz not null default now(),
  accepted_xid xid8 not null,
  -- The systems that must be notified, as decided when the deletion was accepted.
  required_systems text[] not null,
  systems jsonb not null default '{}',
  -- The run that is sending the confirmation, and since when: no other run sends it in the meantime.
  confirmation_claimed_by text,
  confirmation_claimed_at timestamptz,
  confirmation_refused_at timestamptz,
  confirmation_sent_at timestamptz,
  completed_at timestamptz,
  outcome text check (outcome in ('completed', 'row_is_back')),
  last_error text,
  -- When the next step is due, if a system has a grace period: no run is needed before.
  next_at timestamptz,
  -- The run that works on it, or did last, and that run's Trigger.dev environment.
  run_id text,
  environment text,
  updated_at timestamptz not null default now(),
  unique (source, row_id, position),
  constraint deletions_ended check ((completed_at is null) = (outcome is null)),
  constraint deletions_no_address_after_confirmation check (confirmation_sent_at is null or email is null)
);
create index deletions_open on aftercommit.deletions (source, id) where completed_at is null;
create index deletions_newest on aftercommit.deletions (requested_at, id);
comment on table aftercommit.deletions is 'One row for each deletion: what has to be done about it, and what has been';

-- Rows that must not be cleaned up for now, whether or not they have been deleted yet.
create table aftercommit.deletion_holds (
  source text not null references aftercommit.sources (name),
  row_id text collate "C" not null,
  reason text not null,
  held_at timestamptz not null default now(),
  primary key (source, row_id)
);
comment on table aftercommit.deletion_holds is 'Rows that are on hold: their deletions stay open until npx aftercommit deletions release';

-- Rows that a restore brought back and npx aftercommit deletions replay deletes again, and when the first deletion was
-- confirmed: the second one is not.
create table aftercommit.deletion_replays (
  source text not null references aftercommit.sources (name),
  row_id text collate "C" not null,
  confirmation_sent_at timestamptz not null,
  primary key (source, row_id)
);

-- The state of a source. Each count is exact up to 10,000, and 10,001 if there are more: 10 ms on a million entries. A
-- planner without fresh statistics would sort all of them, which takes a second.
create function aftercommit.counts(
  of aftercommit.sources, out embedded bigint, out pending bigint, out failed bigint, out oldest_seconds float8
) language plpgsql stable
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
as $$
begin
  embedded = 0;
  if to_regclass(of.embeddings) is not null then
    execute format(
      'select count(*) from (select from %s where chunk = 0 and embedding is not null
         and model_id = (select id from aftercommit.models where state = ''active'') order by %I limit 10001) as capped',
      of.embeddings, replace(of.name, '-', '_') || '_id'
    ) into embedded;
  end if;
  select count(*) into pending from (
    select from aftercommit.pending p where p.source = of.name and p.settle_xid is null and p.error is null
    order by p.queue, p.next_attempt limit 10001) as capped;
  select count(*) into failed from (
    select from aftercommit.pending p where p.source = of.name and p.error is not null
    order by p.next_attempt limit 10001) as capped;
  -- Of the 100 entries of each queue that are due first: one of them is as good as the oldest.
  select extract(epoch from clock_timestamp() - min(first.accepted_at)) into oldest_seconds
  from unnest(array['realtime', 'batch']) as queues (name), lateral (
    select p.accepted_at, p.error from aftercommit.pending p
    where p.source = of.name and p.queue = queues.name and p.settle_xid is null
    order by p.next_attempt limit 100) as first
  where first.error is null;
end $$;

create view aftercommit.status as
select s.name as source, s.table_name, c.embedded, c.pending, c.failed, c.oldest_seconds,
  (select coalesce(sum(u.tokens), 0)::bigint from aftercommit.usage u
    where u.day = (now() at time zone 'utc')::date) as tokens_today
from aftercommit.sources s, aftercommit.counts(s) c where s.kind = 'embedding';
comment on view aftercommit.status is 'How things stand with each embedded table';
