import type { Step } from "./inbox-step.ts";
import type { World } from "./inbox-world.ts";

const MOST_STEPS = 200;

/** Rows whose words, or vectors of the active model, are not those of their text. */
function wrongRows({ rows, state: { vectors, words, models } }: World): string[] {
  const active = models.find(({ state }) => state === "active")?.name;
  return rows.flatMap((row, n) => {
    const rowId = String(n + 1);
    const text = vectors.find((each) => each.rowId === rowId && each.model === active)?.text;
    const found = words.find((each) => each.rowId === rowId)?.text;
    const wanted = row?.published ? row.text : undefined;
    if (found !== wanted) return [`row ${rowId} says ${wanted}, and its words are those of ${found}`];
    return text === wanted ? [] : [`row ${rowId} says ${wanted}, and ${active} has ${text}`];
  });
}

/** What is wrong with a state; undefined if nothing is. */
export function faultOf(world: World, steps: readonly Step[]): string | undefined {
  const { rows, state, asks, excuses, isSettled } = world;
  const paid = [...asks].filter(([, times]) => times > 1).map(([text]) => text);
  if (paid.length > 0 && excuses === 0) return `${paid} is paid for twice`;
  if (!isSettled) return undefined;
  for (const { rowId, error, lease } of state.entries) {
    const text = rows[Number(rowId) - 1]?.text;
    if (error !== null && lease === null && !error.endsWith(`refused: ${text}`))
      return `row ${rowId} waits, for it says ${text}, but ${error}`;
  }
  if (steps.some(({ isOptional }) => !isOptional)) return undefined;
  if (state.entries.length > 0) return `${state.entries.map(({ rowId }) => rowId)} is stuck in the inbox`;
  return wrongRows(world)[0];
}

/** Completes everything that has begun; then nothing more has to happen. */
export async function finish(world: World, take: (step: Step) => Promise<void>): Promise<void> {
  // The step that has waited longest, so that no one continues forever while others wait.
  const takenAt = new Map<string, number>();
  const lastOf = ({ label }: Step) => takenAt.get(label) ?? -1;
  for (let steps = 0; ; steps += 1) {
    const possible = world.steps();
    const fault = faultOf(world, possible);
    if (fault) throw new Error(fault);
    const [next] = possible
      .filter(({ isOptional }) => !isOptional)
      .toSorted((one, other) => lastOf(one) - lastOf(other));
    if (!next) return;
    if (steps === MOST_STEPS) throw new Error("It does not end");
    takenAt.set(next.label, steps);
    await take(next);
  }
}
