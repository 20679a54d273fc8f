import type { TableName } from "../db/identifiers.ts";
import type { ExternalSystem } from "./external-system.ts";
import type { Provider } from "./provider.ts";
import type { Reranker } from "./reranker.ts";

/**
 * What brings the changes: Sequin's webhook sink, Debezium Server or Supabase's database webhooks to the route, or
 * `npx aftercommit capture` without one.
 */
export type From = "sequin" | "debezium" | "supabase" | "capture";

/** What every declaration says about its table. */
export type Declared = {
  /**
   * The name of one row. It names the tasks, tags and payloads: `post` gives `create-embedding-for-post` and
   * `{ postId }`.
   */
  row: string;
  /** The table, as `schema.table`. Names are taken as they are: `public.Post` is Prisma's `"Post"`. */
  table: string;
  /** The column that identifies a row: unique, not null, and a bigint, integer, smallint, uuid or text. */
  key: string;
  /** The source of the changes. Default: `sequin`. The route of a table from `capture` answers 404. */
  from?: From;
};

/** The language of each row: the values of a column, and the text search configuration that each stands for. */
type LanguageColumn = { column: string; configurations: Readonly<Record<string, string>> };

export type EmbeddingOptions = Declared & {
  /** The plural name, if it is not `row` with an s. */
  rows?: string;
  /** The columns to embed, joined by a blank line, the title first; or one SQL expression over the columns. */
  text: readonly [string, ...string[]] | string;
  /** An SQL condition over the columns: which rows are embedded, and found. Default: all rows. */
  where?: string;
  /** The columns that search returns with the passage. */
  columns?: readonly string[];
  /** The columns that search may filter by. */
  filters?: readonly string[];
  /**
   * The column that says which tenant a row belongs to. Every search must then name one tenant in `where`, and finds
   * nothing that depends on the rows of another. It is one of the `filters`.
   */
  tenant?: string;
  /**
   * A text search configuration of Postgres, such as `german`, by which search finds other forms of a word; or a column
   * and the configurations that its values stand for: `{ column: "lang", configurations: { de: "german" } }`. By
   * default, and for other values, words are found in any language, by their exact forms and English plurals.
   */
  language?: string | LanguageColumn;
  /** The longest passage, in tokens. Default: 1,000. */
  chunkTokens?: number;
  /** How much meaning counts in a hybrid search, from 0 to 1. Defaults to what is known of the embedding model. */
  meaningWeight?: number;
  /**
   * The least score by meaning, from 0 to 1, with which rows are found if no row has any word of the query, so that
   * nonsense finds nothing. Defaults to what is known of the embedding model.
   */
  minScore?: number;
  /** Puts the best results of a search by meaning in a better order: {@link httpReranker}, or a function of yours. */
  reranker?: Reranker;
  /**
   * Who makes the vectors. Default: `[openai()]`. The first provider has the model of a new database. A change from one
   * provider to another needs both: `npx aftercommit reembed --provider voyage --model voyage-3.5`.
   */
  providers?: readonly Provider[];
  /** The table for the vectors, as `schema.table`. Default: `<row>_embeddings` next to your table. */
  embeddings?: string;
};

/** What {@link defineEmbedding} returns: the options, checked, with their defaults. */
export type EmbeddingDeclaration = Required<
  Omit<
    EmbeddingOptions,
    "where" | "tenant" | "language" | "meaningWeight" | "minScore" | "reranker" | "table" | "embeddings"
  >
> & {
  kind: "embedding";
  table: TableName;
  where: string | undefined;
  tenant: string | undefined;
  language: string | LanguageColumn | undefined;
  meaningWeight: number | undefined;
  minScore: number | undefined;
  reranker: Reranker | undefined;
  embeddings: TableName;
};

export type DeletionOptions = Declared & {
  /** The column with the e-mail address that gets the confirmation. Without it, no e-mail is sent. */
  email?: string;
  /**
   * `delete`, or the column that marks a soft deletion, such as `deleted_at`: a row is deleted while the column is not
   * null.
   */
  when?: "delete" | (string & {});
  /** The systems to notify, in addition to the webhooks of USER_DELETION_WEBHOOK_URLS. */
  systems?: readonly ExternalSystem[];
  /** How many days a deletion may take; the doctor, the page and the log warn before. Default: 30. */
  dueDays?: number;
};

/** What {@link defineDeletion} returns: the options, checked, with their defaults. */
export type DeletionDeclaration = Required<Omit<DeletionOptions, "email" | "table">> & {
  kind: "deletion";
  table: TableName;
  email: string | undefined;
};

/** The changes of a row that can run a task. */
export const ACTIONS = ["insert", "update", "delete"] as const;
type Action = (typeof ACTIONS)[number];

export type TriggerOptions = Declared & {
  /** Which changes run the task. Default: all of them. A backfill (`read`) never does. */
  actions?: readonly Action[];
  /** The id of the task. It gets `{ orderId, action, changedAt }` for a row called `order`. */
  task: string;
};

/** What {@link defineTrigger} returns: the options, checked, with their defaults. */
export type TriggerDeclaration = Required<Omit<TriggerOptions, "table">> & {
  kind: "trigger";
  table: TableName;
};

/** A declared table. */
export type Declaration = EmbeddingDeclaration | DeletionDeclaration | TriggerDeclaration;
