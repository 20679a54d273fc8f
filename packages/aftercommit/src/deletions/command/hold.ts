import { holdRow, releaseRow } from "../holds.ts";
import { deletionsOfRow } from "../ledger.ts";
import { type CommandContext, nameOf, type Target } from "./target.ts";

export async function hold(
  target: Target,
  reason: string | undefined,
  { db, say }: CommandContext,
): Promise<void> {
  if (!reason?.trim()) throw new Error("Why? --reason TEXT");
  await holdRow(db, target, reason.trim());
  say(`${nameOf(target)} is on hold: from the next step on no system is called, and no e-mail is sent.`);
  const open = (await deletionsOfRow(db, target)).find(({ outcome }) => outcome === null);
  const done = open?.requiredSystems.filter((name) => open.systems[name]?.done_at) ?? [];
  if (done.length > 0) say(`Already clean: ${done.join(", ")}. That is not undone.`);
}

export async function release(target: Target, { db, say }: CommandContext): Promise<void> {
  if (!(await releaseRow(db, target))) throw new Error(`${nameOf(target)} is not on hold`);
  const open = (await deletionsOfRow(db, target)).find(({ outcome }) => outcome === null);
  const next = open ? `Deletion ${open.id} goes on within ten minutes.` : "No deletion of it is open.";
  say(`${nameOf(target)} is released. ${next}`);
}
