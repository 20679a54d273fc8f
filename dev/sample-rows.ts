import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { posts, users } from "../drizzle/schema.ts";
import { withDatabase } from "./with-database.ts";

// The users of Sequin's guide (https://sequinstream.com/docs/guides/temporal).
const USERS = [
  ["John", "Doe", "john.doe@example.com"],
  ["Jane", "Smith", "jane.smith@example.com"],
  ["Alice", "Johnson", "alice.johnson@example.com"],
  ["Bob", "Brown", "bob.brown@example.com"],
  ["Charlie", "Davis", "charlie.davis@example.com"],
  ["Emily", "Wilson", "emily.wilson@example.com"],
  ["Frank", "Miller", "frank.miller@example.com"],
  ["Grace", "Moore", "grace.moore@example.com"],
  ["Hannah", "Taylor", "hannah.taylor@example.com"],
  ["Isaac", "Anderson", "isaac.anderson@example.com"],
].map(([firstName = "", lastName = "", email = ""]) => ({ firstName, lastName, email }));

const POSTS = [
  [
    "The Future of AI",
    "Machine learning models grow more capable every year. Soon they will write software, discover medicines and teach children.",
    "Alice H Johnson",
  ],
  [
    "Baking bread at home",
    "Flour, water, salt and a lively sourdough starter are all it takes. Knead, let the dough rise overnight, and bake it in a hot oven until the crust crackles.",
    "Maria Gomez",
  ],
  [
    "A weekend in the mountains",
    "We hiked above the tree line, slept in a small hut and woke to snow on the peaks. Bring warm boots and a good map.",
    "Tom Becker",
  ],
  [
    "Saving for retirement",
    "Put a part of every salary into low-cost index funds, early and without exception. Compound interest does the rest over thirty years.",
    "Priya Nair",
  ],
  [
    "Why our database was slow",
    "A missing index made every query scan the whole table. After adding it, pages load in milliseconds and the server's processor is idle again.",
    "Bob Brown",
  ],
  [
    "Training a puppy",
    "Short lessons, many treats and endless patience: that is how a young dog learns to sit, to stay and to come when called.",
    "Jane Smith",
  ],
].map(([title = "", body = "", author = ""]) => ({ title, body, author }));

/** Inserts the sample users and posts once per data folder, and only into empty tables. */
export async function insertSampleRows(databaseUrl: string, dataDir: string): Promise<boolean> {
  const marker = join(dataDir, "sample-rows-inserted");
  if (existsSync(marker)) return false;
  const inserted = await withDatabase(databaseUrl, (db) =>
    db.transaction(async (tx) => {
      const isEmpty = (await tx.$count(posts)) + (await tx.$count(users)) === 0;
      if (!isEmpty) return false;
      await tx.insert(users).values(USERS);
      await tx.insert(posts).values(POSTS);
      return true;
    }),
  );
  writeFileSync(marker, "");
  return inserted;
}
