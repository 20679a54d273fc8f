import type { PgColumn } from "drizzle-orm/pg-core";
import type { Database } from "../../drizzle/client.ts";
import { deleteRowsOfUser } from "../../drizzle/queries/user-deletions.ts";
import { database } from "../database.ts";
import type { ExternalSystem } from "./external-system.ts";

// The columns that hold a user's id without a foreign key, such as `comments.userId`. None yet: posts.author is free
// text and says nothing of an account.
const COLUMNS: readonly PgColumn[] = [];

/** The user's rows in this database that no foreign key removes, as one system; none when there are no such tables. */
export function ownRows(columns = COLUMNS, { db }: { db?: Database } = {}): ExternalSystem[] {
  if (columns.length === 0) return [];
  return [
    {
      name: "own-rows",
      cleanUp: ({ userId }) => deleteRowsOfUser(db ?? database(), columns, userId),
    },
  ];
}
