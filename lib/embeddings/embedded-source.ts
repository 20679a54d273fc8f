import { z } from "zod";
import type { EmbeddedTable } from "../../drizzle/embedded-table.ts";
import { keyProblem } from "./key-problem.ts";

/** Rows that one run of the bulk lane takes, at most. */
export const MOST_ROWS_A_RUN = 1_000;

const timestamp = z.iso.datetime({ offset: true }).max(40);

type Declaration = { of: EmbeddedTable; row: string; live: string; bulk: string };

/**
 * An embedded table with the tasks that embed its rows: one row an edit, and many in one run. Runs carry ids only,
 * since tasks read the rows themselves: `{ postId, changedAt }` and `{ postIds }` for rows that are called `post`.
 */
export function embeddedSource({ of, row, live, bulk }: Declaration) {
  const [id, ids] = [`${row}Id`, `${row}Ids`];
  const idSchema = z
    .string()
    .min(1)
    .refine((text) => keyProblem(text, of.idTypeName) === undefined);
  const liveSchema = z.object({ [id]: idSchema, changedAt: timestamp.nullable() });
  const bulkSchema = z.object({ [ids]: z.array(idSchema).min(1).max(MOST_ROWS_A_RUN) });
  return {
    of,
    live: {
      task: live,
      schema: liveSchema,
      /** `changedAt` is when the change was committed, null where nobody knows. */
      payload: (rowId: string, changedAt: string | null) => ({
        [id]: rowId,
        changedAt: timestamp.safeParse(changedAt).data ?? null,
      }),
    },
    bulk: {
      task: bulk,
      schema: bulkSchema,
      payload: (rowIds: readonly string[]) => ({ [ids]: [...rowIds] }),
    },
    /** What the runs about one row are tagged with, such as `post:17`. */
    tagOf: (rowId: string) => `${row}:${rowId}`,
    idName: id,
    idsName: ids,
  };
}

export type EmbeddedSource = ReturnType<typeof embeddedSource>;
