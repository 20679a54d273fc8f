import type { Check } from "./check.ts";
import type { Result, State } from "./run-checks.ts";

const SIGNS: Record<State, string> = {
  ok: "√",
  warning: "‼",
  failed: "×",
  skipped: "-",
  "not needed": "-",
};
const COLORS: Record<State, number> = { ok: 32, warning: 33, failed: 31, skipped: 2, "not needed": 2 };
const STATES: readonly State[] = ["ok", "warning", "failed", "skipped", "not needed"];

const WIDTH = Math.max(...STATES.map(({ length }) => length));

function mark(state: State, color: boolean): string {
  const text = `${SIGNS[state]} ${state.padEnd(WIDTH)}`;
  return color ? `\u001b[${COLORS[state]}m${text}\u001b[39;22m` : text;
}

function linesOf({ id, description, state, seen, mend }: Result, color: boolean): string[] {
  const first = `  ${mark(state, color)}  ${description}`;
  if (mend === undefined) return [`${first}: ${seen}`];
  const indent = " ".repeat(WIDTH + 6);
  return [`${first} (${id})`, `${indent}seen: ${seen}`, `${indent}mend: ${mend}`];
}

const countOf = (results: readonly Result[], state: State) =>
  results.filter((result) => result.state === state).length;

/** "12 checks: 10 ok, 1 warning, 1 failed". */
function summary(results: readonly Result[]): string {
  const counts = STATES.flatMap((state) => {
    const count = countOf(results, state);
    return count > 0 ? [`${count} ${state}`] : [];
  });
  return `${results.length} checks: ${counts.join(", ")}`;
}

/** What a person reads: the results by category, and a summary. */
export function textOf(results: readonly Result[], { color = false } = {}): string {
  const names = [...new Set(results.map(({ category }) => category))];
  const parts = names.map((name) => {
    const own = results.filter(({ category }) => category === name);
    return [name, ...own.flatMap((result) => linesOf(result, color))].join("\n");
  });
  return `${[...parts, summary(results)].join("\n\n")}\n`;
}

export const hasFailed = (results: readonly Result[]) => countOf(results, "failed") > 0;

/** What a program reads. Ids stay the same over time; `format` changes when anything else of it does. */
export function jsonOf(results: readonly Result[]): string {
  const warned = countOf(results, "warning") > 0 ? "warnings" : "ok";
  const status = hasFailed(results) ? "failed" : warned;
  const counts = Object.fromEntries(STATES.map((state) => [state, countOf(results, state)]));
  return `${JSON.stringify({ format: 1, status, counts, checks: results }, null, 2)}\n`;
}

const severityOf = ({ fatal, warning }: Check) =>
  [warning ? "warning" : "failure", ...(fatal ? ["fatal"] : [])].join(", ");

/** Every check with what it means and how it is mended. */
export function listOf(checks: readonly Check[]): string {
  return checks
    .map((check) => `${check.id}  (${severityOf(check)})\n  ${check.description}\n  ${check.hint}\n`)
    .join("\n");
}
