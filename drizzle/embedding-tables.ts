import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  customType,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { posts } from "./schema.ts";

const at = (name: string) => timestamp(name, { withTimezone: true });

/** pgvector's half-precision vector without a fixed width: the width is the model's. Sent in its binary form. */
const halfvec = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "halfvec" });

/**
 * The models that vectors are made by, each a generation of all rows. Search and tasks take the active one from here,
 * so that no environment can disagree with another.
 */
export const embeddingModels = pgTable(
  "embedding_models",
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    dimensions: integer().notNull(),
    /** The version of what makes a text's chunks: see RECIPE in lib/embeddings. */
    recipe: integer().notNull(),
    state: text({ enum: ["building", "active", "retired"] }).notNull(),
    /** What the model's index casts to: WebAssembly has no half floats, and pays for them with each distance. */
    indexType: text("index_type", { enum: ["halfvec", "vector"] }).notNull(),
    createdAt: at("created_at").notNull().defaultNow(),
    activatedAt: at("activated_at"),
  },
  (table) => [
    unique("embedding_models_identity").on(table.name, table.dimensions, table.recipe),
    uniqueIndex("embedding_models_one_active").on(table.state).where(sql`${table.state} = 'active'`),
    uniqueIndex("embedding_models_one_building").on(table.state).where(sql`${table.state} = 'building'`),
  ],
);

/** The columns of every embeddings table, beside the key of the row that a vector belongs to. */
export const embeddingColumns = () => ({
  modelId: integer("model_id")
    .notNull()
    .references(() => embeddingModels.id),
  chunk: integer().notNull(),
  /** How many chunks the row's text has. */
  chunks: integer().notNull(),
  /** The hash of the whole text that the vector was made from. */
  textHash: uuid("text_hash").notNull(),
  /** Where the chunk begins in the text, and how long it is, in characters as Postgres counts them. */
  start: integer().notNull(),
  length: integer().notNull(),
  tokens: integer().notNull(),
  embedding: halfvec().notNull(),
  /** When the change was committed that this vector answers; null where it came from a backfill. */
  changedAt: at("changed_at"),
  updatedAt: at("updated_at").notNull().defaultNow(),
});

export const postEmbeddings = pgTable(
  "post_embeddings",
  {
    postId: bigint("post_id", { mode: "bigint" })
      .notNull()
      .references(() => posts.id, { onDelete: "cascade", onUpdate: "cascade" }),
    ...embeddingColumns(),
  },
  (table) => [
    primaryKey({ columns: [table.postId, table.modelId, table.chunk] }),
    // What is stale or missing is a merge join of this and the index of posts.
    index("post_embeddings_state").on(table.modelId, table.postId, table.textHash, table.chunks),
    index("post_embeddings_answered")
      .on(table.modelId, table.updatedAt)
      .where(sql`${table.chunk} = 0 and ${table.changedAt} is not null`),
  ],
);

/** Texts that the provider refused: tried again ever more rarely, until the text changes. */
export const embeddingFailures = pgTable(
  "embedding_failures",
  {
    source: text().notNull(),
    rowId: text("row_id").notNull(),
    modelId: integer("model_id")
      .notNull()
      .references(() => embeddingModels.id, { onDelete: "cascade" }),
    textHash: uuid("text_hash").notNull(),
    error: text().notNull(),
    tries: integer().notNull(),
    nextTry: at("next_try").notNull(),
    updatedAt: at("updated_at").notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.source, table.rowId, table.modelId] }),
    index("embedding_failures_latest").on(table.source, table.modelId, table.updatedAt),
  ],
);

/** What is left of the provider's limits, shared by all processes: a token bucket a model. */
export const embeddingBudget = pgTable("embedding_budget", {
  model: text().primaryKey(),
  tokens: doublePrecision().notNull(),
  requests: doublePrecision().notNull(),
  /** The provider asked everybody to wait until then. */
  blockedUntil: at("blocked_until"),
  updatedAt: at("updated_at").notNull().defaultNow(),
});

/** How many rows there were of each state when they were last counted: the page of a large table reads this. */
export const embeddingCounts = pgTable(
  "embedding_counts",
  {
    source: text().notNull(),
    modelId: integer("model_id")
      .notNull()
      .references(() => embeddingModels.id, { onDelete: "cascade" }),
    embedded: bigint({ mode: "number" }).notNull(),
    pending: bigint({ mode: "number" }).notNull(),
    stale: bigint({ mode: "number" }).notNull(),
    empty: bigint({ mode: "number" }).notNull(),
    countedAt: at("counted_at").notNull(),
    tookMs: integer("took_ms").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.source, table.modelId] }),
    check("embedding_counts_took", sql`${table.tookMs} >= 0`),
  ],
);
