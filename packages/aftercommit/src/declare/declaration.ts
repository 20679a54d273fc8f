import type { TableName } from "../db/identifiers.ts";
import type { ExternalSystem } from "./external-system.ts";
import type { Provider } from "./provider.ts";

/** What every declaration says of its table. */
export type Declared = {
  /** What one row is called. It names the tasks, tags and payloads: `post` gives `create-embedding-for-post` and `{ postId }`. */
  row: string;
  /** The table, as `schema.table`. Names are taken as they are: `public.Post` is Prisma's `"Post"`. */
  table: string;
  /** The column that identifies a row: unique, not null, and a bigint, integer, smallint, uuid or text. */
  key: string;
};

export type EmbeddingOptions = Declared & {
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
   * another needs both: `npx aftercommit reembed --provider voyage --model voyage-3.5`.
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

export type DeletionOptions = Declared & {
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

/** The changes of a row that a declaration may be about. */
export const ACTIONS = ["insert", "update", "delete"] as const;
type Action = (typeof ACTIONS)[number];

export type TriggerOptions = Declared & {
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
