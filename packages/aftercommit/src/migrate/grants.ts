import { quoted, quotedColumn } from "../db/identifiers.ts";
import { roleSettingsSql } from "../db/session.ts";
import type { Declaration } from "../declare/declaration.ts";
import { embeddingsOf } from "../declare/declarations.ts";

const ROLES = {
  aftercommit_app: "login",
  aftercommit_tasks: "login",
  aftercommit_sequin: "login replication",
};
const WORKER_ROLES = ["aftercommit_app", "aftercommit_tasks"];
const WORKERS = WORKER_ROLES.join(", ");
const ALL = Object.keys(ROLES).join(", ");

const unique = (texts: readonly string[]) => [...new Set(texts)];

/**
 * The roles of the app, the tasks and Sequin, with the least privileges each needs. `secured` tables have row-level
 * security.
 */
export function grantsSql(declarations: readonly Declaration[], secured: readonly string[]): string[] {
  const tables = unique(declarations.map(({ table }) => quoted(table))).join(", ");
  const embeddings = embeddingsOf(declarations).map((declaration) => declaration.embeddings);
  const vectors = unique(embeddings.map(quoted));
  const schemasOf = (names: readonly { schema: string }[]) =>
    unique(names.map(({ schema }) => quotedColumn(schema))).join(", ");
  const bypass = Object.keys(ROLES).map((role) => `alter role ${role} bypassrls;`);
  return [
    "-- The roles of the app, the tasks and Sequin. Give each a password: alter role aftercommit_app password '…'",
    "do $$ begin",
    ...Object.entries(ROLES).map(
      ([role, options]) => `  if to_regrole('${role}') is null then create role ${role} ${options}; end if;`,
    ),
    "end $$;",
    "",
    "-- All of them read the declared tables, and change nothing there.",
    `grant usage on schema ${schemasOf(declarations.map(({ table }) => table))} to ${ALL};`,
    `grant select on ${tables} to ${ALL};`,
    ...(secured.length > 0
      ? [
          `-- ${secured.join(", ")}: row level security would hide rows, which would count as deleted.`,
          ...bypass,
        ]
      : []),
    "",
    "-- What is Aftercommit's is the app's and the tasks'.",
    `grant usage on schema aftercommit to ${WORKERS};`,
    `grant select, insert, update, delete on all tables in schema aftercommit to ${WORKERS};`,
    `grant usage, select on all sequences in schema aftercommit to ${WORKERS};`,
    ...(vectors.length > 0
      ? [
          `grant usage on schema ${schemasOf(embeddings)} to ${WORKERS};`,
          `grant select, insert, update, delete on ${vectors.join(", ")} to ${WORKERS};`,
          "-- A task builds the vector indexes, which only the owner of a table may, and who may create in its schema.",
          `grant create on schema ${schemasOf(embeddings)} to aftercommit_tasks;`,
          "-- To give a table to a role, you must be a member of it, unless you are a superuser.",
          "do $$ begin",
          "  if not pg_has_role('aftercommit_tasks', 'usage') then grant aftercommit_tasks to current_user; end if;",
          "end $$;",
          ...vectors.map((table) => `alter table ${table} owner to aftercommit_tasks;`),
        ]
      : []),
  ];
}

/** The settings of the app's and the tasks' sessions, which a connection pooler does not keep for them. */
export const settingsSql = (database: string): string[] => [
  "",
  ...WORKER_ROLES.flatMap((role) => roleSettingsSql({ role, database })),
];

/** Lets the app and the tasks find pgvector in a schema that new roles do not search, as on Supabase. */
export function extensionSql({ schema, database }: { schema: string; database: string }): string[] {
  if (schema === "public") return [];
  const [name, within] = [quotedColumn(schema), quotedColumn(database)];
  return [
    `-- pgvector is in the schema ${schema}.`,
    `grant usage on schema ${name} to ${WORKERS};`,
    ...WORKER_ROLES.map(
      (role) => `alter role ${role} in database ${within} set search_path = "$user", public, ${name};`,
    ),
  ];
}
