import { ListRunResponse, RetrieveRunResponse, type TaskRunError } from "@trigger.dev/core/v3";
import { RunId } from "@trigger.dev/core/v3/isomorphic";
import type { z } from "zod";
import { cancelRun } from "./engine/cancel-run.ts";
import { replayRun } from "./engine/replay.ts";
import { parse } from "./parse.ts";
import { ListRunsQuery, listRuns } from "./present/list-runs.ts";
import { retrievedRun } from "./present/run.ts";
import { type PublicStatus, toPublicStatus } from "./present/status.ts";
import { packetUrl } from "./routes/packets.ts";
import type { Server } from "./server.ts";
import type { LogLine, Run, Waitpoint } from "./store/records.ts";

export type RunPage = z.output<typeof ListRunResponse>;

/** What pages about runs need, in the shapes of the SDK's `runs.list` and `runs.retrieve`. */
export interface RunConsole {
  summarizeRuns(): RunSummary;
  /** Newest first; throws ApiError 400 for invalid filters. */
  listRuns(query: z.input<typeof ListRunsQuery>): RunPage;
  /** Undefined for an unknown id. */
  retrieveRun(friendlyId: string): Promise<RunDetails | undefined>;
  /** Triggers the run again and returns the new run's id; undefined for an unknown id. */
  replayRun(friendlyId: string): Promise<string | undefined>;
  /** False for an unknown id. A finished run stays as it is. */
  cancelRun(friendlyId: string): Promise<boolean>;
}

export interface RunSummary {
  /** Whether a `trigger.dev dev` that executes runs is connected. */
  connected: boolean;
  byStatus: Partial<Record<PublicStatus, number>>;
  /** The tasks of all kept runs, sorted by name. */
  tasks: string[];
}

export interface RunDetails {
  run: z.output<typeof RetrieveRunResponse>;
  /** What `runs.retrieve` omits. */
  more: Pick<
    Run,
    "queue" | "gates" | "concurrencyKey" | "replayOf" | "maxAttempts" | "maxDuration" | "machine"
  >;
  /** The last attempts, oldest first; times are epoch milliseconds. */
  attempts: { number: number; startedAt: number; finishedAt?: number; error?: ShownError }[];
  /** What the run waits for now; times are epoch milliseconds. */
  waitsFor: Pick<Waitpoint, "type" | "dueAt" | "childRunId">[];
  /** The task's logs and spans, in order of time. */
  logs: LogLine[];
}

export interface ShownError {
  name?: string;
  message: string;
  stackTrace?: string;
}

export function createConsole(server: Server): RunConsole {
  const { engine, store } = server;
  const { runs, waitpoints, logs } = engine.tables;
  const find = (friendlyId: string) => runs.get(RunId.toId(friendlyId));
  return {
    summarizeRuns() {
      const byStatus: RunSummary["byStatus"] = {};
      const tasks = new Set<string>();
      for (const run of runs.values()) {
        const status = toPublicStatus(run.status);
        byStatus[status] = (byStatus[status] ?? 0) + 1;
        tasks.add(run.task);
      }
      return { connected: engine.presence.connected(), byStatus, tasks: [...tasks].sort() };
    },

    listRuns: (query) => ListRunResponse.parse(listRuns(engine, parse(ListRunsQuery, query))),

    async retrieveRun(friendlyId) {
      const run = find(friendlyId);
      if (!run) return undefined;
      const { queue, gates, concurrencyKey, replayOf, maxAttempts, maxDuration, machine } = run;
      const lines = logs.get(run.id)?.lines ?? [];
      return {
        run: RetrieveRunResponse.parse(await retrievedRun(engine, run, (name) => packetUrl(server, name))),
        more: { queue, gates, concurrencyKey, replayOf, maxAttempts, maxDuration, machine },
        attempts: run.attempts.map(({ error, ...attempt }) => ({
          ...attempt,
          ...(error && { error: shownError(error) }),
        })),
        waitsFor: run.blockedBy.flatMap(({ id }) => waitpoints.get(id) ?? []),
        logs: lines.toSorted((a, b) => a.at - b.at),
      };
    },

    async replayRun(friendlyId) {
      const run = find(friendlyId);
      if (!run) return undefined;
      const id = replayRun(engine, run);
      await store.commit();
      return `run_${id}`;
    },

    async cancelRun(friendlyId) {
      const run = find(friendlyId);
      if (!run) return false;
      cancelRun(engine, run);
      await store.commit();
      return true;
    },
  };
}

function shownError(error: TaskRunError): ShownError {
  switch (error.type) {
    case "BUILT_IN_ERROR":
      return { name: error.name, message: error.message, stackTrace: error.stackTrace };
    case "INTERNAL_ERROR":
      return { name: error.code, message: error.message ?? "", stackTrace: error.stackTrace };
    default:
      return { message: error.raw };
  }
}
