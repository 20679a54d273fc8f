import type { Database } from "../../drizzle/client.ts";
import { type Counts as Counted, countRows, readCounts } from "../../drizzle/queries/embeddings/counts.ts";
import { countFailedRows } from "../../drizzle/queries/embeddings/failures.ts";
import type { EmbeddingModel } from "../../drizzle/queries/embeddings/models.ts";
import type { EmbeddedSource } from "../embeddings/embedded-source.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";

/** How many rows there are of each state, as of `countedAt`. `failed` ones are not among `pending` and `stale`. */
export type Counts = Record<keyof Counted | "failed", number> & { countedAt: Date };

// Counting more rows than this is not waited for: the page shows the last count, and says of when it is.
const FEW = 1_000;
// A count is good for so many times as long as it took, and for a minute at most.
const GOOD_FOR = 20;
const LONGEST_MS = 60_000;

/** The rows of each state, those that the provider refused apart from `pending` and `stale`. */
export function withFailed(
  { pending, stale, ...others }: Counted,
  failed: Pick<Counted, "pending" | "stale">,
): Record<keyof Counted | "failed", number> {
  return {
    ...others,
    pending: Math.max(0, pending - failed.pending),
    stale: Math.max(0, stale - failed.stale),
    failed: failed.pending + failed.stale,
  };
}

const rowsIn = (counts: Counted) => Object.values(counts).reduce((sum, rows) => sum + rows, 0);

/**
 * The rows of each state. Of a small table they are counted now; of a large one, where counting takes a while, they
 * were counted up to a minute ago, and are counted again meanwhile.
 */
export async function readStateCounts(
  db: Database,
  { of }: EmbeddedSource,
  model: EmbeddingModel,
): Promise<Counts> {
  const last = await readCounts(db, of, model.id);
  if (!last || rowsIn(last.counts) <= FEW) await countRows(db, of, model.id);
  else if (Date.now() - last.countedAt.getTime() > Math.min(LONGEST_MS, GOOD_FOR * last.tookMs))
    countRows(db, of, model.id).catch((error: unknown) =>
      log("warn", "status.rows_not_counted", { source: of.name, error: rootMessageOf(error) }),
    );
  const counted = (await readCounts(db, of, model.id)) ?? last;
  if (!counted) throw new Error("The rows are being counted for the first time; look again in a moment");
  const failed = await countFailedRows(db, of, model.id);
  return { ...withFailed(counted.counts, failed), countedAt: counted.countedAt };
}
