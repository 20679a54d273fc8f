import { posts } from "../../aftercommit.config.ts";
import type { Database } from "../../packages/aftercommit/src/db/client.ts";
import { readModelsInUse } from "../../packages/aftercommit/src/models/models.ts";
import { deletionsOnPage } from "../../packages/aftercommit/src/status/deletions.ts";
import { readTableCounts } from "../../packages/aftercommit/src/status/table-counts.ts";
import { readTableStatus } from "../../packages/aftercommit/src/status/table-status.ts";

const NO_COUNTS = { embedded: 0, pending: 0, failed: 0, oldestSeconds: null, tokensToday: 0 };

/** The status page's queries. */
export const PAGE_QUERIES: Readonly<Record<string, (db: Database) => Promise<unknown>>> = {
  counts: readTableCounts,
  "pending rows, failed rows and lag of posts": (db) => readTableStatus(db, posts, NO_COUNTS),
  models: readModelsInUse,
  deletions: deletionsOnPage,
};
