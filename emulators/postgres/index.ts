/** Postgres with pgvector on its own port: a part of the local stack without pages. */
export { type PostgresOptions, startPostgres as start } from "./start.ts";
