#!/bin/sh
# Runs once, when the database is created. The app, the tasks and Sequin share a role that is not a superuser: it owns
# the database and may read its changes. pgvector is installed here because only a superuser may install it.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv password ROLE_PASSWORD
create extension if not exists vector;
create role aftercommit login replication password :'password';
select format('alter database %I owner to aftercommit', current_database()) \gexec
alter schema public owner to aftercommit;
SQL
