import { concurrencyLimit, schedules, schemaTask, wait } from "@trigger.dev/sdk";
import * as z from "zod";
import { database, directUrl } from "../db/database.ts";
import { withLongConnection } from "../db/long-connection.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { embeddingTaskIds, idName } from "../declare/names.ts";
import { wake } from "../inbox/wake.ts";
import { canonicalKey } from "../ingress/row-id.ts";
import { readModelsInUse } from "../models/models.ts";
import { buildVectorIndex } from "../models/vector-index.ts";
import { classifyError } from "../providers/classify-error.ts";
import { sourceOf } from "../source.ts";
import { drain } from "./drain.ts";
import { embedOne } from "./embed-one.ts";
import { lookAfter } from "./look-after.ts";

/** The concurrency of all embedding tasks together. The provider's own limits are enforced through the database. */
const embeddingProvider = concurrencyLimit({ name: "embedding-provider", total: 10 });

// One drains, and another may start as it ends. The rest is left to edits.
const DRAINS = 2;

/** Ten attempts of a run that embeds, with growing pauses. The inbox keeps the rows whatever happens to the run. */
const RETRY = {
  maxAttempts: 10,
  factor: 2,
  minTimeoutInMs: 1_000,
  maxTimeoutInMs: 60_000,
  randomize: true,
  // A killed process counts as out of memory, and gets another attempt only with a machine set here.
  outOfMemory: { machine: "small-2x" as const },
};

async function afterError({ error }: { error: unknown }) {
  const verdict = classifyError(error, new Date());
  if (verdict.kind === "abort") return { skipRetrying: true };
  return verdict.kind === "retryAt" ? { retryAt: verdict.at } : undefined;
}

/**
 * The task that creates or updates the embedding of one row of a declared table.
 *
 * @example
 * export const createEmbeddingForPost = embedOneTask(posts);
 */
export function embedOneTask(declaration: EmbeddingDeclaration) {
  const id = idName(declaration);
  return schemaTask({
    id: embeddingTaskIds(declaration).one,
    schema: z.looseObject({ [id]: z.union([z.string(), z.number().int()]) }),
    concurrency: embeddingProvider,
    retry: RETRY,
    run: async (payload) => {
      const db = database();
      const { keyType } = await sourceOf(db, declaration);
      const rowId = canonicalKey(String(payload[id]), keyType, id);
      return { [id]: rowId, ...(await embedOne(declaration, rowId, { db })) };
    },
    catchError: afterError,
  });
}

/**
 * The task that works on the inbox of a declared table until nothing is due.
 *
 * @example
 * export const createEmbeddingsForPosts = drainTask(posts);
 */
export const drainTask = (declaration: EmbeddingDeclaration) =>
  schemaTask({
    id: embeddingTaskIds(declaration).many,
    schema: z.looseObject({}),
    concurrency: [{ total: DRAINS }, embeddingProvider],
    retry: RETRY,
    // In seconds. Waiting for the provider's limits does not count.
    maxDuration: 1_800,
    run: async (_, { ctx }) => {
      const db = database();
      const waitUntil = async (at: number) => {
        await wait.until({ date: new Date(at) });
      };
      const done = await drain(declaration, { db, runId: ctx.run.id, waitUntil });
      if (done.left) await wake(db, declaration);
      return done;
    },
    catchError: afterError,
  });

/**
 * The schedule that maintains a declared table: orphaned runs, lost messages, the vector index.
 *
 * @example
 * export const reconcilePostEmbeddings = reconcileTask(posts);
 */
export const reconcileTask = (declaration: EmbeddingDeclaration) =>
  schedules.task({
    id: embeddingTaskIds(declaration).reconcile,
    // Not in development: a laptop connected to a database would process other people's rows.
    cron: { pattern: "* * * * *", environments: ["PRODUCTION", "STAGING", "PREVIEW"] },
    // A second one that waits finds nothing left to do.
    concurrency: { total: 1 },
    // In seconds: once a day it reads every row.
    maxDuration: 14_400,
    run: () => lookAfter(declaration, { db: database() }),
    catchError: afterError,
  });

/**
 * The task that builds the vector index of a declared table, which takes as long as the table is large.
 *
 * @example
 * export const indexPostEmbeddings = indexTask(posts);
 */
export const indexTask = (declaration: EmbeddingDeclaration) =>
  schemaTask({
    id: embeddingTaskIds(declaration).index,
    schema: z.looseObject({}),
    concurrency: { total: 1 },
    maxDuration: 14_400,
    run: async () => {
      const { active } = await readModelsInUse(database());
      await withLongConnection(directUrl(), (client) =>
        buildVectorIndex(client, declaration.embeddings, active),
      );
      return { model: active.name };
    },
  });
