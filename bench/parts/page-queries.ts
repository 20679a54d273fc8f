import { posts } from "../../aftercommit.config.ts";
import type { Database } from "../../packages/aftercommit/src/db/client.ts";
import { readModelsInUse } from "../../packages/aftercommit/src/models/models.ts";
import { deletionsOnPage } from "../../packages/aftercommit/src/status/deletions.ts";
import { readTableCounts } from "../../packages/aftercommit/src/status/table-counts.ts";
import { readTableStatus } from "../../packages/aftercommit/src/status/table-status.ts";
import { Times } from "../report.ts";

const ROUNDS = 100;
const NO_COUNTS = { embedded: 0, pending: 0, failed: 0, oldestSeconds: null, tokensToday: 0 };

const PAGE_QUERIES: Readonly<Record<string, (db: Database) => Promise<unknown>>> = {
  counts: readTableCounts,
  "pending rows, failed rows and lag of posts": (db) => readTableStatus(db, posts, NO_COUNTS),
  models: readModelsInUse,
  deletions: deletionsOnPage,
};

/** How long each of the status page's queries takes, by name. */
export async function timePageQueries(db: Database): Promise<[string, Times][]> {
  const all: [string, Times][] = [];
  for (const [name, query] of Object.entries(PAGE_QUERIES)) {
    const took = new Times();
    await query(db);
    for (let round = 0; round < ROUNDS; round += 1) await took.measure(() => query(db));
    all.push([name, took]);
  }
  return all;
}
