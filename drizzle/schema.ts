import { bigint, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

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
