import { pgTable, serial, text, timestamp } from "drizzle-orm/pg-core";

export const articles = pgTable("articles", {
  id: serial().primaryKey(),
  title: text().notNull(),
  body: text().notNull(),
  publishedAt: timestamp("published_at"),
});
