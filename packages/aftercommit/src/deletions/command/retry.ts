import { triggerRun } from "../../runs/trigger-run.ts";
import { cleanupRun } from "../cleanup-run.ts";
import { deletionsOfRow } from "../ledger.ts";
import { type CommandContext, nameOf, type Target } from "./target.ts";

const TRIGGER_MS = 30_000;

/** Triggers a run for the open deletion of a row now. The run does nothing while another one works on it. */
export async function retry(target: Target, { db, say }: CommandContext): Promise<void> {
  const deletions = await deletionsOfRow(db, target);
  const open = deletions.findLast(({ outcome }) => outcome === null);
  if (!open) {
    const last = deletions.at(-1)?.outcome;
    throw new Error(
      last ? `The last deletion of ${nameOf(target)} has ended: ${last}` : `No deletion of ${nameOf(target)}`,
    );
  }
  if (open.isHeld) throw new Error(`${nameOf(target)} is on hold: release it first`);
  const run = cleanupRun(target.declaration, open);
  const now = Date.now();
  // The key contains the current run: calling this twice before that run works starts no second one.
  const idempotencyKey = `${run.idempotencyKey}:retry:${open.runId}`;
  const id = await triggerRun({ ...run, idempotencyKey, idempotencyKeyTTL: "10m" }, now + TRIGGER_MS);
  say(`Run ${id} tries deletion ${open.id} of ${nameOf(target)} again.`);
}
