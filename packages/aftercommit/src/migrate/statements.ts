import { escapeLiteral } from "pg";
import { commentOf, rowIdName } from "../catalog/embeddings-table.ts";
import { spelled } from "../catalog/problem.ts";
import { quoted, quotedColumn } from "../db/identifiers.ts";
import type { Declaration, EmbeddingDeclaration } from "../declare/declaration.ts";
import { indexTypeOf } from "../models/index-type.ts";
import { fingerprintOf, type KeyType } from "../source.ts";
import { wordsTable } from "../words/words-table.ts";
import type { FirstModel } from "./first-model.ts";

/** One row per chunk, row and model. A row with blank text has one row without a chunk and an embedding. */
export function embeddingsTableSql(declaration: EmbeddingDeclaration, keyColumn: string): string {
  const table = quoted(declaration.embeddings);
  const id = quotedColumn(rowIdName(declaration));
  return `create table ${table} (
  ${id} ${keyColumn} not null,
  model_id integer not null references aftercommit.models (id),
  chunk integer not null,
  chunks integer not null,
  text_hash uuid not null,
  start integer not null,
  length integer not null,
  tokens integer not null,
  embedding halfvec,
  changed_at timestamptz,
  updated_at timestamptz not null default now(),
  primary key (${id}, model_id, chunk)
);
create index on ${table} (model_id, ${id}, text_hash) where chunk = 0;
create index on ${table} (model_id, updated_at) where chunk = 0 and changed_at is not null;
comment on table ${table} is ${escapeLiteral(commentOf(declaration))};`;
}

// ANALYZE keeps ten times as many of the most frequent words. Search has to count the rows of every other one.
const WORDS_STATISTICS = 400;

/**
 * A row per passage of each row's text; for a blank text, one without words. It is derived from the declared table, so
 * one of another form is replaced. Its keys sort like the declared table's, as reconciliation reads both in their order.
 */
export function wordsTableStatements(declaration: EmbeddingDeclaration, keyColumn: string): string {
  const table = quoted(wordsTable(declaration));
  const id = quotedColumn(rowIdName(declaration));
  return `drop table if exists ${table};
create table ${table} (
  ${id} ${keyColumn} not null,
  passage integer not null,
  start integer not null,
  length integer not null,
  text_hash uuid not null,
  -- The text search configuration that made the words; empty if none did.
  language text not null,
  size integer not null,
  words tsvector not null,
  primary key (${id}, passage)
);
alter table ${table} alter column words set statistics ${WORDS_STATISTICS};
create index on ${table} using gin (words);
comment on table ${table} is ${escapeLiteral(`The words of ${spelled(declaration.table)}, for search`)};`;
}

/** What aftercommit.sources stores of a declaration, except what only the database knows. */
export function recordOf(declaration: Declaration) {
  const { row, kind, table } = declaration;
  const embeddings = declaration.kind === "embedding" ? quoted(declaration.embeddings) : null;
  return { name: row, kind, table: quoted(table), fingerprint: fingerprintOf(declaration), embeddings };
}

export function sourceSql(declaration: Declaration, keyType: KeyType): string {
  const { name, kind, table, fingerprint, embeddings } = recordOf(declaration);
  const [text, vectors] = [escapeLiteral(table), embeddings === null ? "null" : escapeLiteral(embeddings)];
  // Rule 8: the cluster and its timeline stay as they were until the entries of the inbox are stamped again.
  return `insert into aftercommit.sources
  (name, kind, table_name, table_oid, key_type, fingerprint, embeddings, system_identifier, timeline)
select ${escapeLiteral(name)}, '${kind}', ${text}, ${text}::regclass, '${keyType}', '${fingerprint}', ${vectors},
  system_identifier::text, left(pg_walfile_name(pg_current_wal_lsn()), 8) from pg_control_system()
on conflict (name) do update set kind = excluded.kind, table_name = excluded.table_name,
  table_oid = excluded.table_oid, key_type = excluded.key_type, fingerprint = excluded.fingerprint,
  embeddings = excluded.embeddings, fully_reconciled_at = null, declared_at = now();`;
}

export function modelSql(model: FirstModel, inWebAssembly: boolean): string {
  const { provider, name, dimensions, dimensionsAsked, chunker } = model;
  // A halfvec index is half as large at equal recall. But WebAssembly has no half floats, so each distance costs many
  // times as much.
  const preferred = inWebAssembly ? "vector" : "halfvec";
  const indexType = indexTypeOf(model, { preferred, remedy: "set EMBEDDING_DIMENSIONS to fewer" });
  return `insert into aftercommit.models (provider, name, dimensions, dimensions_asked, chunker, state, index_type, activated_at)
values (${escapeLiteral(provider)}, ${escapeLiteral(name)}, ${dimensions}, ${dimensionsAsked}, ${chunker}, 'active',
 '${indexType}', now());`;
}
