import type { Run } from "../store/records.ts";
import type { Engine } from "./engine.ts";
import { armStall, isFinished } from "./snapshots.ts";

/**
 * How long a run may be silent whose holder may have gone. The CLI repeats a failed call for 7.5 s, and asks every
 * 5 s for the snapshot of each run that it holds.
 */
const STARTING_GRACE_MS = 10_000;
const EXECUTING_GRACE_MS = 20_000;

/**
 * Expects a sign of life soon of everyone who holds a run: this server was restarted, or no CLI is connected any
 * more. A run that nobody holds need not keep its place until its stall timer ends.
 */
export function doubtHolders(engine: Engine): void {
  engine.doubted.clear();
  for (const run of engine.tables.runs.values()) {
    if (isFinished(run)) continue;
    engine.doubted.add(run.id);
    const starting = run.snapshot.status === "PENDING_EXECUTING";
    armStall(engine, run, starting ? STARTING_GRACE_MS : EXECUTING_GRACE_MS);
  }
}

/** Somebody asks for a run's latest snapshot, which only its holder does. */
export function dispelDoubt(engine: Engine, run: Run): void {
  if (engine.doubted.delete(run.id)) armStall(engine, run);
}
