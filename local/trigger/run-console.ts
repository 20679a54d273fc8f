import { RunId } from "@trigger.dev/core/v3/isomorphic";
import type { z } from "zod";
import { parse } from "./answer.ts";
import { ListRunsQuery, listRuns, type RunPage } from "./present/list-runs.ts";
import { type Retrieved, retrievedRun } from "./present/run.ts";
import { packetUrl } from "./routes/packets.ts";
import type { Server } from "./server.ts";
import type { LogLine, Run } from "./store/records.ts";

/** What pages about runs need; the shapes are those of the SDK's `runs.list` and `runs.retrieve`. */
export interface RunConsole {
  /** Newest first; throws ApiError 400 for filters that are none. */
  listRuns(query: z.input<typeof ListRunsQuery>): RunPage;
  /** Undefined for an unknown id. */
  retrieveRun(friendlyId: string): Promise<RunDetails | undefined>;
}

export interface RunDetails {
  run: Retrieved;
  /** The last attempts, oldest first; times are epoch milliseconds. */
  attempts: Run["attempts"];
  /** What the task logged, and its spans, in the order of their time. */
  logs: LogLine[];
}

export function createConsole(server: Server): RunConsole {
  const { engine } = server;
  return {
    listRuns: (query) => listRuns(engine, parse(ListRunsQuery, query)),
    async retrieveRun(friendlyId) {
      const run = engine.tables.runs.get(RunId.toId(friendlyId));
      if (!run) return undefined;
      const lines = engine.tables.logs.get(run.id)?.lines ?? [];
      return {
        run: await retrievedRun(engine, run, (name) => packetUrl(server, name)),
        attempts: run.attempts,
        logs: lines.toSorted((a, b) => a.at - b.at),
      };
    },
  };
}
