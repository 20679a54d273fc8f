import { runs } from "@trigger.dev/sdk";
import { z } from "zod";
import type { Database } from "../../../packages/aftercommit/src/db/client.ts";
import type {
  Declaration,
  EmbeddingDeclaration,
} from "../../../packages/aftercommit/src/declare/declaration.ts";
import { embeddingsOf } from "../../../packages/aftercommit/src/declare/declarations.ts";
import { embeddingTaskIds, idName } from "../../../packages/aftercommit/src/declare/names.ts";
import { type DrainResult, drain } from "../../../packages/aftercommit/src/embeddings/drain.ts";
import { embedOne } from "../../../packages/aftercommit/src/embeddings/embed-one.ts";
import { until } from "../until.ts";

const OPEN = ["PENDING_VERSION", "DELAYED", "QUEUED"] as const;

const payloadSchema = z.record(z.string(), z.string().nullable());

/** A run as a worker gets it. */
export type Run = { id: string; task: string; payload: Record<string, string | null> };

/** Processes the inbox like a run of the drain. */
export const drainOf = (
  db: Database,
  declaration: EmbeddingDeclaration,
  runId = "run_of_the_test",
): Promise<DrainResult> =>
  drain(declaration, {
    db,
    runId,
    waitUntil: async (at) => void (await until(() => Date.now() > at, { what: "the provider's limits" })),
  });

/** The runs of the Trigger.dev emulator, which only the test executes. `workOn` is for tasks that embed nothing. */
export function runsOf(
  declarations: readonly Declaration[],
  { db, workOn }: { db: () => Database; workOn?: (run: Run) => Promise<unknown> },
) {
  async function work(run: Run): Promise<unknown> {
    for (const declaration of embeddingsOf(declarations)) {
      const { one, many } = embeddingTaskIds(declaration);
      if (run.task === many) return drainOf(db(), declaration, run.id);
      if (run.task === one)
        return embedOne(declaration, run.payload[idName(declaration)] ?? "", { db: db() });
    }
    if (!workOn) throw new Error(`nobody works on the task ${run.task}`);
    return workOn(run);
  }

  /** The runs that no one has executed, oldest first. */
  async function openRuns(): Promise<Run[]> {
    const { data } = await runs.list({ status: [...OPEN], limit: 100 });
    const open = await Promise.all(data.toReversed().map(({ id }) => runs.retrieve(id)));
    return open.map(({ id, taskIdentifier, payload }) => {
      return { id, task: taskIdentifier, payload: payloadSchema.parse(payload) };
    });
  }

  return {
    openRuns,
    /** Cancels every run, so that no one executes it. */
    async cancelRuns(): Promise<void> {
      for (const { id } of await openRuns()) await runs.cancel(id);
    },
    /** Executes runs in parallel until there are none. Resolves with their tasks. */
    async workOff(): Promise<string[]> {
      const worked: string[] = [];
      for (let open = await openRuns(); open.length > 0; open = await openRuns())
        await Promise.all(
          open.map(async (run) => {
            await work(run);
            await runs.cancel(run.id);
            worked.push(run.task);
          }),
        );
      return worked;
    },
  };
}
