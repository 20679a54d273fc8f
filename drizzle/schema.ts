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
} from "drizzle-orm/pg-core";

const createdAt = timestamp("created_at", { withTimezone: true }).notNull().defaultNow();
const updatedAt = timestamp("updated_at", { withTimezone: true }).notNull().defaultNow();

export const posts = pgTable(
  "posts",
  {
    id: bigint({ mode: "bigint" }).primaryKey().generatedByDefaultAsIdentity(),
    title: text().notNull(),
    body: text().notNull(),
    author: text().notNull(),
    /** Of the text that is embedded, kept by a trigger; null where there is none. */
    textHash: uuid("text_hash"),
    createdAt,
    updatedAt,
  },
  (table) => [
    index("posts_id_text_hash").on(table.id, table.textHash),
    index("posts_updated_at").on(table.updatedAt, table.id),
  ],
);

export const users = pgTable("users", {
  id: uuid().primaryKey().defaultRandom(),
  firstName: text("first_name").notNull(),
  lastName: text("last_name").notNull(),
  email: text().notNull().unique(),
  createdAt,
  updatedAt,
});

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
    outcome: text({ enum: ["ignored", "refused", "rejected"] }).notNull(),
    reason: text().notNull(),
    messages: bigint({ mode: "number" }).notNull(),
    lastAt: timestamp("last_at", { withTimezone: true }).notNull().defaultNow(),
    example: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.day, table.route, table.outcome, table.reason] })],
);

/** How the clean-up of one external system stands. Times are ISO 8601. */
export type SystemProgress = { done_at?: string; failed_at?: string; error?: string };

/**
 * One deleted user: what has to be done about it, and what has been. The address stays only until the confirmation is
 * sent; the id stays, so that a redelivery years later is recognised.
 */
export const userDeletions = pgTable(
  "user_deletions",
  {
    userId: uuid("user_id").primaryKey(),
    email: text(),
    requestedAt: timestamp("requested_at", { withTimezone: true }).notNull().defaultNow(),
    /** The systems that have to be told, as decided when the deletion was accepted; null in rows of older versions. */
    requiredSystems: text("required_systems").array(),
    systems: jsonb().$type<Record<string, SystemProgress>>().notNull().default({}),
    /** The run that is sending the confirmation, and since when: no other one sends meanwhile. */
    confirmationClaimedBy: text("confirmation_claimed_by"),
    confirmationClaimedAt: timestamp("confirmation_claimed_at", { withTimezone: true }),
    /** When the mail server first refused the address for good. */
    confirmationRefusedAt: timestamp("confirmation_refused_at", { withTimezone: true }),
    confirmationSentAt: timestamp("confirmation_sent_at", { withTimezone: true }),
    completedAt: timestamp("completed_at", { withTimezone: true }),
    lastError: text("last_error"),
    /** The run that works on it, or did last: another one may take it only when this one has ended. */
    runId: text("run_id"),
    /** The environment of Trigger.dev that the run is in: no other one may touch the deletion. */
    environment: text(),
    updatedAt,
  },
  (table) => [
    // Resumption looks for these every few minutes; nearly all rows are complete.
    index("user_deletions_incomplete").on(table.userId).where(sql`${table.completedAt} is null`),
    // The status page asks for these every few seconds.
    index("user_deletions_newest").on(table.requestedAt, table.userId),
    check(
      "user_deletions_no_address_after_confirmation",
      sql`${table.confirmationSentAt} is null or ${table.email} is null`,
    ),
  ],
);
