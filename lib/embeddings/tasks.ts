import { concurrencyLimit, schemaTask } from "@trigger.dev/sdk";
import { checkEnvironment, REQUIRED_BY_EMBEDDING } from "../env.ts";
import { embedMany } from "./embed-many.ts";
import { embedRow } from "./embed-row.ts";
import type { EmbeddedSource } from "./embedded-source.ts";
import { afterError, EMBEDDING_RETRY } from "./retry.ts";

/** What both lanes have together, whatever the provider's own limits: those are kept through the database. */
const embeddingProvider = concurrencyLimit({ name: "embedding-provider", total: 10 });

// A backfill leaves the most of it to edits.
const BULK = 3;

/** The task that makes or renews the embeddings of one row of a table, at once: an edit. */
export const liveTask = ({ of, live, idName }: EmbeddedSource) =>
  schemaTask({
    id: live.task,
    schema: live.schema,
    concurrency: embeddingProvider,
    retry: EMBEDDING_RETRY,
    run: async (payload) => {
      checkEnvironment(REQUIRED_BY_EMBEDDING);
      const { changedAt, [idName]: id } = payload;
      return { [idName]: id, ...(await embedRow(of, String(id), changedAt ?? null)) };
    },
    catchError: afterError,
  });

/** The task that does so for many rows in few requests: backfills, large transactions, reconciliations. */
export const bulkTask = ({ of, bulk, idsName }: EmbeddedSource) =>
  schemaTask({
    id: bulk.task,
    schema: bulk.schema,
    concurrency: [{ total: BULK }, embeddingProvider],
    retry: EMBEDDING_RETRY,
    // In seconds: most of it may be a wait for the provider's limits.
    maxDuration: 1_800,
    run: async (payload) => {
      checkEnvironment(REQUIRED_BY_EMBEDDING);
      return embedMany(of, payload[idsName] ?? []);
    },
    catchError: afterError,
  });
