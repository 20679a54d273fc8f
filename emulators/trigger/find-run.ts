import { RunId } from "@trigger.dev/core/v3/isomorphic";
import type { Context } from "hono";
import type { Engine } from "./engine/engine.ts";
import { ApiError } from "./errors.ts";
import type { Run } from "./store/records.ts";

/** The run in the path; throws ApiError 404 if there is none. */
export function findRun(engine: Engine, c: Context, message = "Run not found"): Run {
  const run = engine.tables.runs.get(RunId.toId(c.req.param("run") ?? ""));
  if (!run) throw new ApiError(404, message);
  return run;
}

/**
 * Runs that a process executes. An unknown one does not belong to this environment, which the engine answers with 401.
 */
export function findOwnRun(engine: Engine, c: Context): Run {
  const run = engine.tables.runs.get(RunId.toId(c.req.param("run") ?? ""));
  if (!run) throw new ApiError(401, "Run not found");
  return run;
}
