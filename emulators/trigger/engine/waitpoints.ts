import { generateInternalId } from "@trigger.dev/core/v3/isomorphic";
import type { Run, Waitpoint } from "../store/records.ts";
import type { Engine } from "./engine.ts";
import { saveRun, setSnapshot } from "./snapshots.ts";

/**
 * Completions that arrive together resume the run once; the CLI drops a notification that arrives while it handles one.
 */
const RESUME_AFTER_MS = 50;
const REMIND_AFTER_MS = [250, 1_000];

export interface WaitpointOutput {
  output?: string | undefined;
  outputType?: string | undefined;
  outputIsError: boolean;
}

export function createWaitpoint(
  engine: Engine,
  fields: Pick<Waitpoint, "type"> & Partial<Omit<Waitpoint, "id" | "type">>,
): Waitpoint {
  const waitpoint: Waitpoint = {
    id: generateInternalId(),
    createdAt: engine.clock.now(),
    tags: [],
    waiters: [],
    outputIsError: false,
    ...fields,
  };
  engine.tables.waitpoints.save(waitpoint);
  if (waitpoint.dueAt !== undefined) engine.timers.set("waitpoint", waitpoint.id, waitpoint.dueAt);
  return waitpoint;
}

/** Makes the run wait for another waitpoint. It keeps its process and its slot in the queue. */
export function block(engine: Engine, run: Run, waitpoint: Waitpoint, index?: number): void {
  run.blockedBy.push({ id: waitpoint.id, index });
  waitpoint.waiters.push(run.id);
  engine.tables.waitpoints.save(waitpoint);
  if (run.snapshot.status === "EXECUTING") {
    setSnapshot(engine, run, "EXECUTING_WITH_WAITPOINTS", "Run was blocked by a waitpoint.");
    engine.notify(run);
  } else saveRun(engine, run);
  if (waitpoint.completedAt !== undefined) resumeSoon(engine, run);
}

/** Completing twice changes nothing. */
export function completeWaitpoint(engine: Engine, waitpoint: Waitpoint, result: WaitpointOutput): void {
  if (waitpoint.completedAt !== undefined) return;
  waitpoint.completedAt = engine.clock.now();
  waitpoint.output = result.output;
  waitpoint.outputType = result.outputType;
  waitpoint.outputIsError = result.outputIsError;
  engine.timers.clear("waitpoint", waitpoint.id);
  engine.tables.waitpoints.save(waitpoint);
  for (const id of waitpoint.waiters) {
    const run = engine.tables.runs.get(id);
    if (run?.blockedBy.some((ref) => ref.id === waitpoint.id)) resumeSoon(engine, run);
  }
}

export function resumeSoon(engine: Engine, run: Run): void {
  const open = run.blockedBy.some(({ id }) => engine.tables.waitpoints.get(id)?.completedAt === undefined);
  if (!open) engine.timers.set("resume", run.id, engine.clock.now() + RESUME_AFTER_MS);
}

/** Handler of the "resume" timer: passes the run everything it waited for. */
export function resume(engine: Engine, run: Run): void {
  const open = run.blockedBy.some(({ id }) => engine.tables.waitpoints.get(id)?.completedAt === undefined);
  if (open || run.snapshot.status !== "EXECUTING_WITH_WAITPOINTS") return;
  const completed = run.blockedBy;
  run.blockedBy = [];
  setSnapshot(engine, run, "EXECUTING", "Run was unblocked by a waitpoint.", { completed });
  engine.notify(run);
  const { id } = run.snapshot;
  for (const ms of REMIND_AFTER_MS)
    engine.clock.after(ms, () => {
      if (run.snapshot.id === id) engine.notify(run);
    });
}

/** A failed or finished attempt no longer waits for anything. */
export function clearBlocks(engine: Engine, run: Run): void {
  run.blockedBy = [];
  engine.timers.clear("resume", run.id);
}
