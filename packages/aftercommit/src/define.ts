import { type TableName, tableName } from "./db/identifiers.ts";
import { DeclarationError } from "./declaration-error.ts";
import {
  ACTIONS,
  type Declared,
  type DeletionDeclaration,
  type DeletionOptions,
  type EmbeddingDeclaration,
  type EmbeddingOptions,
  type From,
  type TriggerDeclaration,
  type TriggerOptions,
} from "./declare/declaration.ts";
import { DAY_MS, durationMs } from "./declare/duration.ts";
import { openai } from "./providers/openai.ts";

const ROW = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const MOST_CHUNK_TOKENS = 8_000;

function declared(by: string, { row, table, key }: Declared): TableName {
  const place = `${by}({ row: ${JSON.stringify(row)} })`;
  if (!ROW.test(row))
    throw new DeclarationError(place, "row", "must be lower-case words joined by hyphens, such as post");
  if (!key) throw new DeclarationError(place, "key", "must name a column");
  return tableName(table, { place, option: "table" });
}

/** A lost edit is found by comparing rows. A lost deletion leaves nothing to find, and a lost run has no row. */
function requireReliable(from: From, by: string, row: string): void {
  if (from === "supabase")
    throw new DeclarationError(
      `${by}({ row: ${JSON.stringify(row)} })`,
      "from",
      "must not be supabase: its webhooks are sent once, and what is lost cannot be found; see docs/sources.md",
    );
}

/**
 * Declares a table whose rows are embedded for semantic search.
 *
 * @example
 * export const posts = defineEmbedding({ row: "post", table: "public.posts", key: "id", text: ["title", "body"] });
 * @throws {DeclarationError} if an option is invalid, whatever the database contains
 */
export function defineEmbedding(options: EmbeddingOptions): EmbeddingDeclaration {
  const {
    row,
    rows = `${row}s`,
    key,
    from = "sequin",
    text,
    where,
    columns = [],
    tenant,
    language,
    meaningWeight,
    minScore,
    reranker,
    chunkTokens = 1_000,
    providers = [openai()],
  } = options;
  const place = `defineEmbedding({ row: ${JSON.stringify(row)} })`;
  const table = declared("defineEmbedding", options);
  if (!ROW.test(rows))
    throw new DeclarationError(place, "rows", "must be lower-case words joined by hyphens");
  if (text.length === 0)
    throw new DeclarationError(place, "text", "must name a column, or be an SQL expression");
  if (language === "" || (typeof language === "object" && Object.keys(language.configurations).length === 0))
    throw new DeclarationError(place, "language", "must name a text search configuration of Postgres");
  if (!Number.isInteger(chunkTokens) || chunkTokens < 50 || chunkTokens > MOST_CHUNK_TOKENS)
    throw new DeclarationError(
      place,
      "chunkTokens",
      `must be a whole number from 50 to ${MOST_CHUNK_TOKENS}`,
    );
  for (const [option, value] of Object.entries({ meaningWeight, minScore }))
    if (value !== undefined && !(value >= 0 && value <= 1))
      throw new DeclarationError(place, option, "must be a number from 0 to 1");
  const names = providers.map(({ name }) => name);
  if (names.length === 0 || new Set(names).size < names.length)
    throw new DeclarationError(place, "providers", "must have one or more, each with a name of its own");
  const embeddings = options.embeddings
    ? tableName(options.embeddings, { place, option: "embeddings" })
    : { schema: table.schema, name: `${row.replaceAll("-", "_")}_embeddings` };
  const made = {
    row,
    rows,
    table,
    key,
    from,
    text,
    where,
    columns,
    filters: [...new Set([...(tenant === undefined ? [] : [tenant]), ...(options.filters ?? [])])],
    tenant,
    language,
    meaningWeight,
    minScore,
    reranker,
    chunkTokens,
    providers,
    embeddings,
  };
  return { kind: "embedding", ...made };
}

/**
 * Declares a table whose deleted rows are cleaned up in external systems and confirmed by e-mail.
 *
 * @example
 * export const users = defineDeletion({ row: "user", table: "public.users", key: "id", email: "email" });
 * @throws {DeclarationError} if an option is invalid, whatever the database contains
 */
export function defineDeletion(options: DeletionOptions): DeletionDeclaration {
  const { row, key, from = "sequin", email, when = "delete", systems = [], dueDays = 30 } = options;
  const table = declared("defineDeletion", options);
  const problem = (option: string, text: string) =>
    new DeclarationError(`defineDeletion({ row: ${JSON.stringify(row)} })`, option, text);
  requireReliable(from, "defineDeletion", row);
  if (!Number.isInteger(dueDays) || dueDays < 1)
    throw problem("dueDays", "must be a whole number, 1 or more");
  for (const { name, email: asks, after } of systems) {
    if (asks && email === undefined)
      throw problem("email", `must name the column with the address, which ${name} asks for`);
    const wait = after === undefined ? 0 : durationMs(after);
    if (wait === undefined) throw problem("systems", `${name}: after must be a time such as "30 days"`);
    if (wait >= dueDays * DAY_MS)
      throw problem("dueDays", `must be more than ${after}, which ${name} waits after a deletion`);
  }
  return { kind: "deletion", row, table, key, from, email, when, systems, dueDays };
}

/**
 * Declares a table whose changes run your task.
 *
 * @example
 * export const orders = defineTrigger({ row: "order", table: "public.orders", key: "id", task: "send-invoice" });
 * @throws {DeclarationError} if an option is invalid, whatever the database contains
 */
export function defineTrigger(options: TriggerOptions): TriggerDeclaration {
  const { row, key, from = "sequin", actions = ACTIONS, task } = options;
  const table = declared("defineTrigger", options);
  const place = `defineTrigger({ row: ${JSON.stringify(row)} })`;
  requireReliable(from, "defineTrigger", row);
  if (!task) throw new DeclarationError(place, "task", "must be the id of a task");
  if (actions.length === 0)
    throw new DeclarationError(place, "actions", "must name insert, update or delete");
  return { kind: "trigger", row, table, key, from, actions, task };
}
