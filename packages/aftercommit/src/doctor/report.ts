import { CHECKS, categoryOf } from "./checks.ts";
import type { Finding } from "./finding.ts";

const STATES = { ok: ["√", 32], warning: ["‼", 33], failed: ["×", 31], skipped: ["-", 2] } as const;
const WIDTH = "warning".length;
const INDENT = " ".repeat(WIDTH + 6);

function linesOf({ id, state, actual, fix }: Finding, inColor: boolean): string[] {
  const [sign, color] = STATES[state];
  const text = `${sign} ${state.padEnd(WIDTH)}`;
  const first = `  ${inColor ? `\u001b[${color}m${text}\u001b[39;22m` : text}  ${CHECKS[id]}`;
  return fix === undefined
    ? [`${first}: ${actual}`]
    : [`${first} (${id})`, `${INDENT}actual: ${actual}`, `${INDENT}fix: ${fix}`];
}

const countsOf = (findings: readonly Finding[]) =>
  Object.keys(STATES).map((name) => [name, findings.filter(({ state }) => state === name).length] as const);

export const hasFailed = (findings: readonly Finding[]) => findings.some(({ state }) => state === "failed");

/** The report for people: the findings by category, and a summary such as "12 checks: 10 ok, 1 warning, 1 failed". */
export function textOf(findings: readonly Finding[], { color = false } = {}): string {
  const names = [...new Set(findings.map(({ id }) => categoryOf(id)))];
  const parts = names.map((name) => {
    const own = findings.filter(({ id }) => categoryOf(id) === name);
    return [name, ...own.flatMap((finding) => linesOf(finding, color))].join("\n");
  });
  const counts = countsOf(findings).flatMap(([state, count]) => (count > 0 ? `${count} ${state}` : []));
  return `${[...parts, `${findings.length} checks: ${counts.join(", ")}`].join("\n\n")}\n`;
}

/** The report for programs. Ids never change; `format` changes if anything else does. */
export function jsonOf(findings: readonly Finding[]): string {
  const counts = Object.fromEntries(countsOf(findings));
  const status = counts.failed ? "failed" : counts.warning ? "warnings" : "ok";
  const checks = findings.map((finding) => ({ ...finding, description: CHECKS[finding.id] }));
  return `${JSON.stringify({ format: 2, status, counts, checks }, null, 2)}\n`;
}

/** Every check of the named categories, or of all, with what it expects. */
export const listOf = (only: readonly string[]): string =>
  Object.entries(CHECKS)
    .filter(([id]) => only.length === 0 || only.includes(categoryOf(id)))
    .map(([id, expected]) => `${id}\n  ${expected}\n`)
    .join("");
