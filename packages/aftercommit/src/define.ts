import { type TableName, tableName } from "./db/identifiers.ts";
import { DeclarationError } from "./declaration-error.ts";
import { DAY_MS, durationMs } from "./deletions/duration.ts";
import type { ExternalSystem } from "./deletions/external-system.ts";
import { openai } from "./providers/openai.ts";
import type { Provider } from "./providers/provider.ts";

/** What every declaration says of its table. */
type Declared = {
  /** What one row is called. It names the tasks, tags and payloads: `post` gives `create-embedding-for-post` and `{ postId }`. */
  row: string;
  /** The table, as `schema.table`. Names are taken as they are: `public.Post` is Prisma's `"Post"`. */
  table: string;
  /** The column that identifies a row: unique, not null, and a bigint, integer, smallint, uuid or text. */
  key: string;
};

type EmbeddingOptions = Declared & {
  /** What more than one row is called, where it is not `row` with an s. */
  rows?: string;
  /** The columns that are embedded, joined by a blank line, the title first; or one SQL expression over the columns. */
  text: readonly [string, ...string[]] | string;
  /** An SQL condition over the columns: which rows are embedded, and found. All of them when left out. */
  where?: string;
  /** The columns that search returns beside the passage. */
  columns?: readonly string[];
  /** The columns that search may filter by. */
  filters?: readonly string[];
  /** How many tokens a passage has at most; 1,000 when left out. */
  chunkTokens?: number;
  /**
   * Who makes the vectors; `[openai()]` when left out. The first one has the model of a new database. A change from one to
   * another needs both: `npm run reembed -- --provider voyage --model voyage-3.5`.
   */
  providers?: readonly Provider[];
  /** The table that holds the vectors, as `schema.table`; `<row>_embeddings` beside yours when left out. */
  embeddings?: string;
};

export type EmbeddingDeclaration = Required<Omit<EmbeddingOptions, "where" | "table" | "embeddings">> & {
  kind: "embedding";
  table: TableName;
  where: string | undefined;
  embeddings: TableName;
};

type DeletionOptions = Declared & {
  /** The column with the e-mail address of whoever gets the confirmation. Nobody does when it is left out. */
  email?: string;
  /** `delete`, or the column that marks a soft deletion, such as `deleted_at`: a row is deleted while it is not null. */
  when?: "delete" | (string & {});
  /** The systems to notify, beside the webhooks of USER_DELETION_WEBHOOK_URLS. */
  systems?: readonly ExternalSystem[];
  /** In how many days a deletion has to be complete: the doctor, the page and the log warn before. 30 when left out. */
  dueDays?: number;
};

export type DeletionDeclaration = Required<Omit<DeletionOptions, "email" | "table">> & {
  kind: "deletion";
  table: TableName;
  email: string | undefined;
};

const ACTIONS = ["insert", "update", "delete"] as const;
type Action = (typeof ACTIONS)[number];

type TriggerOptions = Declared & {
  /** Which changes run the task; all of them when left out. A backfill (`read`) runs none. */
  actions?: readonly Action[];
  /** The id of the task, which gets `{ orderId, action, changedAt }` for a row called `order`. */
  task: string;
};

export type TriggerDeclaration = Required<Omit<TriggerOptions, "table">> & {
  kind: "trigger";
  table: TableName;
};

export type Declaration = EmbeddingDeclaration | DeletionDeclaration | TriggerDeclaration;

const ROW = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const MOST_CHUNK_TOKENS = 8_000;

function declared(by: string, { row, table, key }: Declared): TableName {
  const place = `${by}({ row: ${JSON.stringify(row)} })`;
  if (!ROW.test(row))
    throw new DeclarationError(place, "row", "must be lower-case words joined by hyphens, such as post");
  if (!key) throw new DeclarationError(place, "key", "must name a column");
  return tableName(table, { place, option: "table" });
}

/**
 * Declares a table whose rows are embedded, so that they can be searched by meaning.
 *
 * @example
 * export const posts = defineEmbedding({ row: "post", table: "public.posts", key: "id", text: ["title", "body"] });
 * @throws {DeclarationError} when an option cannot be right whatever the database looks like
 */
export function defineEmbedding(options: EmbeddingOptions): EmbeddingDeclaration {
  const {
    row,
    rows = `${row}s`,
    key,
    text,
    where,
    columns = [],
    filters = [],
    chunkTokens = 1_000,
    providers = [openai()],
  } = options;
  const place = `defineEmbedding({ row: ${JSON.stringify(row)} })`;
  const table = declared("defineEmbedding", options);
  if (!ROW.test(rows))
    throw new DeclarationError(place, "rows", "must be lower-case words joined by hyphens");
  if (text.length === 0)
    throw new DeclarationError(place, "text", "must name a column, or be an SQL expression");
  if (!Number.isInteger(chunkTokens) || chunkTokens < 50 || chunkTokens > MOST_CHUNK_TOKENS)
    throw new DeclarationError(
      place,
      "chunkTokens",
      `must be a whole number from 50 to ${MOST_CHUNK_TOKENS}`,
    );
  const names = providers.map(({ name }) => name);
  if (names.length === 0 || new Set(names).size < names.length)
    throw new DeclarationError(place, "providers", "must have one or more, each with a name of its own");
  const embeddings = options.embeddings
    ? tableName(options.embeddings, { place, option: "embeddings" })
    : { schema: table.schema, name: `${row.replaceAll("-", "_")}_embeddings` };
  const made = { row, rows, table, key, text, where, columns, filters, chunkTokens, providers, embeddings };
  return { kind: "embedding", ...made };
}

/**
 * Declares a table whose deleted rows are cleaned up in external systems, and confirmed by e-mail.
 *
 * @example
 * export const users = defineDeletion({ row: "user", table: "public.users", key: "id", email: "email" });
 * @throws {DeclarationError} when an option cannot be right whatever the database looks like
 */
export function defineDeletion(options: DeletionOptions): DeletionDeclaration {
  const { row, key, email, when = "delete", systems = [], dueDays = 30 } = options;
  const table = declared("defineDeletion", options);
  const problem = (option: string, text: string) =>
    new DeclarationError(`defineDeletion({ row: ${JSON.stringify(row)} })`, option, text);
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
  return { kind: "deletion", row, table, key, email, when, systems, dueDays };
}

/**
 * Declares a table whose changes run a task of yours.
 *
 * @example
 * export const orders = defineTrigger({ row: "order", table: "public.orders", key: "id", task: "send-invoice" });
 * @throws {DeclarationError} when an option cannot be right whatever the database looks like
 */
export function defineTrigger(options: TriggerOptions): TriggerDeclaration {
  const { row, key, actions = ACTIONS, task } = options;
  const table = declared("defineTrigger", options);
  const place = `defineTrigger({ row: ${JSON.stringify(row)} })`;
  if (!task) throw new DeclarationError(place, "task", "must be the id of a task");
  if (actions.length === 0)
    throw new DeclarationError(place, "actions", "must name insert, update or delete");
  return { kind: "trigger", row, table, key, actions, task };
}
