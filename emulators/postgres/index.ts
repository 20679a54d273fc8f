/** Postgres with pgvector on a port of its own: a part of the local stack without pages. */
export { type PostgresOptions, startPostgres as start } from "./start.ts";
