import type { Known } from "./known.ts";
import type { Distance, judgeDeletions } from "./truth.ts";

type Soaked = {
  known: Known;
  again: number;
  storms: Map<string, number>;
  died: Map<string, number>;
  unstopped: number;
  settledMs: number;
  inputs: number;
  rows: Distance;
  wrongVectors: number;
  shortened: number;
  users: Awaited<ReturnType<typeof judgeDeletions>>;
};

/** A line of the table. It is a failure if `value` is more than `most`. */
type Figure = { name: string; value: number; most?: number };

const counted = (counts: Map<string, number>, what: string): Figure[] =>
  [...counts].toSorted().map(([name, value]) => ({ name: `${what}: ${name}`, value }));

const total = (counts: Map<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0);

export function figuresOf({
  known,
  again,
  storms,
  died,
  unstopped,
  settledMs,
  inputs,
  rows,
  wrongVectors,
  shortened,
  users,
}: Soaked) {
  const none = (name: string, value: number): Figure => ({ name, value, most: 0 });
  const deaths = total(died);
  // Each may hit every message that is being sent.
  const answersLost = 100 * (storms.get("mail answer lost") ?? 0);
  return [
    { name: "changes committed", value: known.changes },
    { name: "changes whose answer was lost", value: known.unknown },
    { name: "deliveries in addition to Sequin's, acknowledged", value: again },
    { name: "kills", value: deaths },
    ...counted(died, "killed"),
    none("stops in order that did not end", unstopped),
    ...counted(storms, "failed and came back"),
    { name: "seconds until all was done", value: Math.round(settledMs / 1_000) },
    none("posts: embedding lost", rows.lost),
    none("posts: embedding stale", rows.stale),
    none("posts: embedding orphaned", rows.orphaned),
    none("posts: vector of another text", wrongVectors),
    none("models: a fault taken for their length", shortened),
    none("posts: left in the inbox", rows.pending),
    none("posts: recorded as failed", rows.failed),
    { name: "texts committed", value: known.texts() },
    { name: "texts that the provider answered", value: inputs },
    // A text is paid for twice only if its process died, or its transaction's response was lost.
    none("texts paid for beyond one each", Math.max(0, inputs - known.texts() - known.unknown)),
    { name: "users deleted", value: users.deleted },
    { name: "users on hold when they were deleted", value: users.held },
    none("deletions: continued while on hold", users.notHeld),
    none("deletions: lost", users.lost),
    none("deletions: nobody asked for", users.unasked),
    none("deletions: address kept", users.kept),
    none("deletions: a system called clean that is not", users.unclean),
    { name: "users who were there all the time", value: known.kept.length },
    none("users notified by mistake", users.mistaken),
    none("mails: missing", users.noMail),
    none("mails: before clean-up", users.early),
    none("mails: a second message", users.twice),
    // Only if it is unknown whether the mail server accepted the first one, because a process was killed or the answer lost.
    { name: "mails: a second copy, with one Message-ID", value: users.copies, most: deaths + answersLost },
  ] satisfies Figure[];
}

/** Prints the table. Returns whether everything in it is right. */
export function print(figures: readonly Figure[]): boolean {
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const { name, value, most } of figures) {
    const isWrong = most !== undefined && value > most;
    console.log(`${name.padEnd(width)}  ${String(value).padStart(7)}${isWrong ? "  ×" : ""}`);
  }
  return figures.every(({ value, most }) => most === undefined || value <= most);
}
