import { sql } from "drizzle-orm";
import type { DeletionDeclaration } from "../../declare/declaration.ts";
import { DAY_MS } from "../../declare/duration.ts";
import { readHolds } from "../holds.ts";
import { type Deletion, readDeletions } from "../ledger.ts";
import { type CommandContext, nameOf } from "./target.ts";

const MOST = 100;

function dueText({ requestedAt }: Deletion, { dueDays }: DeletionDeclaration): string {
  const left = requestedAt.getTime() + dueDays * DAY_MS - Date.now();
  const days = Math.floor(Math.abs(left) / DAY_MS);
  const span = `${days} ${days === 1 ? "day" : "days"}`;
  return left < 0 ? `overdue for ${span}` : `due in ${span}`;
}

function stateLines({ requiredSystems, systems, lastError, nextAt }: Deletion): string[] {
  const left = requiredSystems.filter((name) => !systems[name]?.done_at);
  const lines = left.map((name) => `${name}: ${systems[name]?.error ?? "not clean yet"}`);
  if (nextAt) lines.push(`waits until ${nextAt.toISOString()}`);
  if (left.length === 0) lines.push(lastError ?? "all systems are clean; the e-mail is left");
  return lines;
}

export async function list({ db, declarations, say }: CommandContext): Promise<void> {
  const open = await readDeletions(db, sql`completed_at is null`, MOST + 1);
  const holds = await readHolds(db);
  const reasonOf = ({ source, rowId }: Deletion) =>
    holds.find((held) => held.source === source && held.rowId === rowId)?.reason;
  for (const deletion of open.slice(0, MOST)) {
    const declaration = declarations.find(({ row }) => row === deletion.source);
    const reason = reasonOf(deletion);
    const due =
      reason !== undefined ? "on hold" : declaration ? dueText(deletion, declaration) : "not declared";
    say(
      `${nameOf(deletion)}, requested ${deletion.requestedAt.toISOString()}, ${due} (deletion ${deletion.id})`,
    );
    for (const line of stateLines(deletion)) say(`  ${line}`);
  }
  if (open.length > MOST) say(`… and more than these ${MOST}.`);
  if (open.length === 0) say("No deletion is open.");
  for (const held of holds)
    say(`On hold since ${held.heldAt.toISOString()}: ${nameOf(held)} (${held.reason})`);
}
