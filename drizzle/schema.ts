import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  index,
  integer,
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
