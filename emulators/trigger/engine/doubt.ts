import type { Run } from "../store/records.ts";
import type { Engine } from "./engine.ts";
import { armStall, isFinished } from "./snapshots.ts";

/**
 * How long a run may be silent if its owner may be gone. The CLI repeats a failed request for 7.5 s, and every 5 s asks
 * for the snapshot of each run that it owns.
 */
const STARTING_GRACE_MS = 10_000;
const EXECUTING_GRACE_MS = 20_000;

/**
 * Expects a heartbeat soon from everyone who owns a run, because this server was restarted or no CLI is connected. A
 * run without an owner need not keep its slot until its stall timer ends.
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

/** Only a run's owner asks for its latest snapshot. */
export function dispelDoubt(engine: Engine, run: Run): void {
  if (engine.doubted.delete(run.id)) armStall(engine, run);
}
