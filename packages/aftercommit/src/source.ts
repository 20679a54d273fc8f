import { createHash } from "node:crypto";
import { type SQL, sql } from "drizzle-orm";
import { escapeLiteral } from "pg";
import type { Database } from "./db/client.ts";
import { quotedColumn, tableSql } from "./db/identifiers.ts";
import type { Declaration, EmbeddingDeclaration } from "./declare/declaration.ts";

export type Queries = Pick<Database, "execute">;

/** The types that a key may have, as Postgres names them. */
export type KeyType = "bigint" | "integer" | "smallint" | "uuid" | "text";

/** What npx aftercommit migrate recorded of a declared table. */
type Recorded = { keyType: KeyType; fingerprint: string };

/** A declared table that the database knows: everything that statements about it need. */
export type Source<D extends Declaration = Declaration> = {
  declaration: D;
  /** The declaration's `row`, which names it in the inbox and the ledger. */
  name: string;
  keyType: KeyType;
};

export type EmbeddingSource = Source<EmbeddingDeclaration>;

/**
 * This process's declaration differs from the database's. Running npx aftercommit migrate, or deploying a newer
 * version, fixes it.
 */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

function decides(declaration: Declaration): unknown[] {
  if (declaration.kind === "deletion") return [declaration.when];
  if (declaration.kind === "trigger") return [];
  const { text, where = null, chunkTokens, embeddings, language = [] } = declaration;
  return [text, where, chunkTokens, embeddings, ...[language].flat()];
}

/**
 * A hash of everything that decides what a row's vectors are made from, which rows have any, and when a row is deleted.
 */
export function fingerprintOf(declaration: Declaration): string {
  const { kind, table, key } = declaration;
  const text = JSON.stringify([kind, table, key, ...decides(declaration)]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

async function readRecorded(db: Queries, name: string): Promise<Recorded | undefined> {
  const { rows } = await db.execute<Recorded>(
    sql`select key_type as "keyType", fingerprint from aftercommit.sources where name = ${name}`,
  );
  return rows[0];
}

/** Throws SourceError if the database has another declaration than this process. */
export function requireFingerprint(declaration: Declaration, recorded: string | null): void {
  if (recorded !== fingerprintOf(declaration))
    throw new SourceError(
      `The declaration of ${declaration.row} is not the one that the database has: deploy the version that was migrated last, or npx aftercommit migrate from this one`,
    );
}

/**
 * A declared table as the database knows it. Rejects with SourceError if npx aftercommit migrate has not recorded it,
 * or has recorded another declaration of it: a worker of another deployment leaves the rows alone.
 */
export async function sourceOf<D extends Declaration>(db: Queries, declaration: D): Promise<Source<D>> {
  const { row } = declaration;
  const recorded = await readRecorded(db, row);
  if (!recorded)
    throw new SourceError(`The database does not know the declaration of ${row}: npx aftercommit migrate`);
  requireFingerprint(declaration, recorded.fingerprint);
  return { declaration, name: row, keyType: recorded.keyType };
}

/** The type of a declared table's key. Rejects with SourceError until npx aftercommit migrate has run. */
export async function keyTypeOf(db: Queries, { row }: Declaration): Promise<KeyType> {
  const recorded = await readRecorded(db, row);
  if (!recorded)
    throw new SourceError(`The database does not know the declaration of ${row}: npx aftercommit migrate`);
  return recorded.keyType;
}

/** A key's type as part of a query. */
export const keyTypeSql = ({ keyType }: Pick<Source, "keyType">): SQL => sql.raw(keyType);

/** The column of an embeddings table that names the row: `post_id` for rows called `post`. */
export const rowIdColumn = ({ row }: { row: string }): SQL =>
  sql`${sql.identifier(`${row.replaceAll("-", "_")}_id`)}`;

/** The text of a row, in a query from the table under its own name. */
function textSql({ text, table }: EmbeddingDeclaration): SQL {
  // A null text counts as blank and is marked so: a null hash would look like another text each time.
  if (typeof text === "string") return sql.raw(`coalesce((${text})::text, '')`);
  const columns = text.map((column) => `${quotedColumn(table.name)}.${quotedColumn(column)}`);
  return sql.raw(`concat_ws(E'\\n\\n', ${columns.join(", ")})`);
}

// Every passage carries the title.
const MOST_TITLE_CHARS = 200;

/** The beginning of a row's title, in a query from the table under its own name. A text of one column has none. */
function titleSql({ text, table }: EmbeddingDeclaration): SQL {
  if (typeof text === "string" || text.length === 1) return sql`null::text`;
  return sql.raw(`left(${quotedColumn(table.name)}.${quotedColumn(text[0])}::text, ${MOST_TITLE_CHARS})`);
}

/** The text search configuration of a row, in a query from the table under its own name; "" for none. */
function languageSql({ language = "", table }: EmbeddingDeclaration): SQL {
  if (typeof language === "string") return sql.raw(`${escapeLiteral(language)}::text`);
  const cases = Object.entries(language.configurations).map(
    ([value, configuration]) => `when ${escapeLiteral(value)} then ${escapeLiteral(configuration)}`,
  );
  const column = `${quotedColumn(table.name)}.${quotedColumn(language.column)}`;
  return sql.raw(`case ${column}::text ${cases.join(" ")} else '' end`);
}

/**
 * The hash of a row's text, which is stored with its vectors. It includes the chunk size, because another size makes
 * other vectors of the same text.
 */
const hashSql = ({ chunkTokens }: EmbeddingDeclaration, text: SQL): SQL =>
  sql`md5(${sql.raw(`'${chunkTokens}:'`)} || ${text})::uuid`;

/**
 * Whether only the transaction that wrote a tuple has set its xmax (rule 4). That transaction sets it if a trigger runs
 * before updates: it locks the row, and the new tuple inherits the lock.
 */
export const unstampedSql = (alias: SQL): SQL => sql`${alias}.xmax::text in ('0', ${alias}.xmin::text)`;

/**
 * The declared table as a subquery that the planner can inline: key, text, hash, title, language, the declared columns,
 * whether the row is included, and whether it is settled: no transaction has set the tuple's xmax (rule 4). `filter` is
 * a condition over the table's columns.
 */
export function rowsSql(declaration: EmbeddingDeclaration, filter?: SQL): SQL {
  const { table, key, where, columns } = declaration;
  const alias = sql.raw(quotedColumn(table.name));
  const column = (name: string) => sql.raw(`${quotedColumn(table.name)}.${quotedColumn(name)}`);
  const whole = textSql(declaration);
  return sql`(select ${column(key)} as id, ${whole} as text, ${hashSql(declaration, whole)} as text_hash,
    ${titleSql(declaration)} as title,
    ${languageSql(declaration)} as language,
    ${where === undefined ? sql`true` : sql.raw(`(${where}) is true`)} as included,
    ${unstampedSql(alias)} as settled,
    jsonb_build_object(${sql.raw(columns.map((name) => `'${name.replaceAll("'", "''")}', ${quotedColumn(table.name)}.${quotedColumn(name)}`).join(", "))}) as columns
    from ${tableSql(table)} as ${alias} ${filter ? sql`where ${filter}` : sql``})`;
}
