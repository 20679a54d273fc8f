create table users (id uuid primary key default gen_random_uuid(), email text not null unique);
-- A delete then carries the whole old row, and with it the address.
alter table users replica identity full;
