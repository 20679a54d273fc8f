import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
  vector,
} from "drizzle-orm/pg-core";

/** Width of every stored vector. It is a column type: changing it needs a migration. */
export const EMBEDDING_DIMENSIONS = 1536;

const createdAt = timestamp("created_at", { withTimezone: true }).notNull().defaultNow();
const updatedAt = timestamp("updated_at", { withTimezone: true }).notNull().defaultNow();

export const posts = pgTable("posts", {
  id: bigint({ mode: "bigint" }).primaryKey().generatedByDefaultAsIdentity(),
  title: text().notNull(),
  body: text().notNull(),
  author: text().notNull(),
  createdAt,
  updatedAt,
});

export const users = pgTable("users", {
  id: uuid().primaryKey().defaultRandom(),
  firstName: text("first_name").notNull(),
  lastName: text("last_name").notNull(),
  email: text().notNull().unique(),
  createdAt,
  updatedAt,
});

export const postEmbeddings = pgTable(
  "post_embeddings",
  {
    postId: bigint("post_id", { mode: "bigint" })
      .notNull()
      .references(() => posts.id, { onDelete: "cascade", onUpdate: "cascade" }),
    chunk: integer().notNull(),
    embedding: vector({ dimensions: EMBEDDING_DIMENSIONS }).notNull(),
    contentHash: text("content_hash").notNull(),
    model: text().notNull(),
    tokens: integer().notNull(),
    createdAt,
    updatedAt,
  },
  (table) => [
    primaryKey({ columns: [table.postId, table.chunk] }),
    index("post_embeddings_embedding_hnsw").using("hnsw", table.embedding.op("vector_cosine_ops")),
    check("post_embeddings_chunk_not_negative", sql`${table.chunk} >= 0`),
  ],
);

/** What the embedding provider was asked for, by UTC day: requests that it answered, and tokens that it charges for. */
export const embeddingUsage = pgTable(
  "embedding_usage",
  {
    day: date().notNull(),
    model: text().notNull(),
    calls: integer().notNull(),
    tokens: bigint({ mode: "number" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.day, table.model] })],
);

/** Messages of Sequin that led to no run, by UTC day: their number, and where or what the last of them was. */
export const unprocessedMessages = pgTable(
  "unprocessed_messages",
  {
    day: date().notNull(),
    route: text().notNull(),
    outcome: text({ enum: ["ignored", "rejected"] }).notNull(),
    reason: text().notNull(),
    messages: bigint({ mode: "number" }).notNull(),
    lastAt: timestamp("last_at", { withTimezone: true }).notNull().defaultNow(),
    example: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.day, table.route, table.outcome, table.reason] })],
);

/** How the clean-up of one external system stands. Times are ISO 8601. */
export type SystemProgress = { done_at?: string; failed_at?: string; error?: string };

/** One deleted user: what has been done about it. The address stays only until the confirmation is sent. */
export const userDeletions = pgTable(
  "user_deletions",
  {
    userId: uuid("user_id").primaryKey(),
    email: text(),
    emailHash: text("email_hash"),
    requestedAt: timestamp("requested_at", { withTimezone: true }).notNull().defaultNow(),
    systems: jsonb().$type<Record<string, SystemProgress>>().notNull().default({}),
    confirmationSentAt: timestamp("confirmation_sent_at", { withTimezone: true }),
    completedAt: timestamp("completed_at", { withTimezone: true }),
    lastError: text("last_error"),
    runId: text("run_id"),
    updatedAt,
  },
  (table) => [
    // Resumption looks for these every few minutes; nearly all rows are complete.
    index("user_deletions_incomplete").on(table.userId).where(sql`${table.completedAt} is null`),
    check(
      "user_deletions_no_address_after_confirmation",
      sql`${table.confirmationSentAt} is null or ${table.email} is null`,
    ),
  ],
);
