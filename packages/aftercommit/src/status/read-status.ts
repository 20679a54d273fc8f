import type { Database } from "../db/client.ts";
import { database } from "../db/database.ts";
import type { Declaration } from "../declare/declaration.ts";
import { deletionsOf, embeddingsOf } from "../declare/declarations.ts";
import { type Due, readDue } from "../deletions/due.ts";
import { type Hold, readHolds } from "../deletions/holds.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { memoizeFor } from "../memoize-for.ts";
import { type ModelsInUse, readModelsInUse } from "../models/models.ts";
import { newestRuns, type Run } from "../runs/newest-runs.ts";
import { type DeletionOnPage, deletionsOnPage } from "./deletions.ts";
import { type Part, readPart, triggerProblem } from "./part.ts";
import { readTableCounts } from "./table-counts.ts";
import { readTableStatus, type TableStatus } from "./table-status.ts";

// The page works without Trigger.dev, and waits no longer for it.
const RUNS_LIMIT_MS = 1_500;

/** An embedded table as declared, and its current state. */
export type TableOnPage = { row: string; rows: string; table: string; status: Part<TableStatus> };

/** What the status page shows. Each part is read separately, so that a failing one hides no other. */
export type Status = {
  tables: TableOnPage[];
  models: Part<ModelsInUse>;
  /** The newest run of each shown row by its tag, or why Trigger.dev did not answer. */
  runs: Part<ReadonlyMap<string, Run>>;
  deletions: Part<{ latest: DeletionOnPage[]; due: Due[]; holds: Hold[] }>;
};

async function readTables(db: () => Database, declarations: readonly Declaration[]): Promise<TableOnPage[]> {
  const counts = memoizeFor(
    async () => readTableCounts(db()),
    () => Number.POSITIVE_INFINITY,
  );
  return Promise.all(
    embeddingsOf(declarations).map(async (declaration) => {
      const { row, rows, table } = declaration;
      const status = await readPart(row, async () =>
        readTableStatus(db(), declaration, (await counts()).get(row)),
      );
      return { row, rows, table: `${table.schema}.${table.name}`, status };
    }),
  );
}

async function readDeletions(db: Database, declarations: readonly Declaration[]) {
  const [latest, holds, ...due] = await Promise.all([
    deletionsOnPage(db),
    readHolds(db),
    ...deletionsOf(declarations).map((declaration) => readDue(db, declaration)),
  ]);
  return { latest, holds, due };
}

async function readRuns(tables: readonly TableOnPage[]): Promise<Status["runs"]> {
  const shown = tables.flatMap(({ status }) =>
    status.known ? [...status.value.failed, ...status.value.pending] : [],
  );
  try {
    const tags = shown.map(({ tag }) => tag);
    return { known: true, value: await newestRuns(tags, Date.now() + RUNS_LIMIT_MS) };
  } catch (error) {
    log("warn", "status.runs_unknown", { error: rootMessageOf(error) });
    return { known: false, problem: triggerProblem(error) };
  }
}

/** Reads what the status page shows. Works even if the database or Trigger.dev does not answer. */
export async function readStatus(
  declarations: readonly Declaration[],
  { db }: { db: () => Database },
): Promise<Status> {
  const [tables, models, deletions] = await Promise.all([
    readTables(db, declarations),
    readPart("models", async () => readModelsInUse(db())),
    readPart("deletions", async () => readDeletions(db(), declarations)),
  ]);
  return { tables, models, runs: await readRuns(tables), deletions };
}

/**
 * Like {@link readStatus}, at most once a second, however many people look.
 *
 * @example
 * const status = statusOf(declarationsOf(config));
 *
 * const { tables, models, runs, deletions } = await status();
 */
export const statusOf = (declarations: readonly Declaration[]): (() => Promise<Status>) =>
  memoizeFor(
    () => readStatus(declarations, { db: database }),
    () => 1_000,
  );
