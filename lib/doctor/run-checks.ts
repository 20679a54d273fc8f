import { beforeDeadline, DeadlineError } from "../before-deadline.ts";
import { EnvironmentError } from "../env.ts";
import { rootMessageOf } from "../errors.ts";
import { type Check, categoryOf, problem, type Verdict } from "./check.ts";
import { withoutSecrets } from "./without-secrets.ts";

/** `skipped`: a check that it needs has failed. */
export type State = "ok" | "warning" | "failed" | "skipped" | "not needed";

export type Result = Pick<Check, "id" | "description"> & {
  category: string;
  state: State;
  /** What was seen, without any secret. */
  seen: string;
  /** For what is failed or warned of: the command, the statement or the words that mend it. */
  mend?: string;
};

// Longer than anything that a check waits for.
const LIMIT_MS = 25_000;

/** The checks of some categories, with those of others that they need. An empty list is all of them. */
export function checksOf(all: readonly Check[], categories: readonly string[]): Check[] {
  if (categories.length === 0) return [...all];
  const wanted = new Set<string>();
  const want = ({ id, needs = [] }: Check) => {
    wanted.add(id);
    for (const check of all) if (needs.includes(check.id) && !wanted.has(check.id)) want(check);
  };
  for (const check of all) if (categories.includes(categoryOf(check.id))) want(check);
  return all.filter(({ id }) => wanted.has(id));
}

async function verdictOf({ run }: Check, limitMs: number): Promise<Verdict> {
  try {
    return await beforeDeadline(run, Date.now() + limitMs);
  } catch (error) {
    if (error instanceof EnvironmentError)
      return problem(error.message, `Set ${error.variables.join(", ")} in the environment or in .env.local`);
    if (error instanceof DeadlineError) return problem(`no answer within ${limitMs / 1_000} s`);
    return problem(rootMessageOf(error));
  }
}

function resultOf({ id, description, hint, warning }: Check, verdict: Verdict): Result {
  const base = { id, description, category: categoryOf(id), seen: withoutSecrets(verdict.seen) };
  if (verdict.kind === "good") return { ...base, state: "ok" };
  if (verdict.kind === "not-needed") return { ...base, state: "not needed" };
  return { ...base, state: warning ? "warning" : "failed", mend: withoutSecrets(verdict.mend ?? hint) };
}

/** Why a check is not run, by what became of those that it needs. */
function obstacle(needed: readonly Result[]): Pick<Result, "state" | "seen"> | undefined {
  const stopped = needed.find(
    ({ state }) => state === "failed" || state === "warning" || state === "skipped",
  );
  if (stopped) return { state: "skipped", seen: `needs ${stopped.id}` };
  const idle = needed.find(({ state }) => state === "not needed");
  return idle && { state: "not needed", seen: idle.seen };
}

/**
 * Runs all checks at once, each after those that it needs, and each within `limitMs`. Resolves with a result for each,
 * in their order; never rejects.
 */
export async function runChecks(checks: readonly Check[], { limitMs = LIMIT_MS } = {}): Promise<Result[]> {
  const results = new Map<string, Promise<Result>>();
  const resultFor = (check: Check): Promise<Result> => {
    const known = results.get(check.id);
    if (known !== undefined) return known;
    const result = (async () => {
      const { id, description, needs = [] } = check;
      const needed = await Promise.all(checks.filter((other) => needs.includes(other.id)).map(resultFor));
      const stopped = obstacle(needed);
      if (stopped) return { id, description, category: categoryOf(id), ...stopped };
      return resultOf(check, await verdictOf(check, limitMs));
    })();
    results.set(check.id, result);
    return result;
  };
  return Promise.all(checks.map(resultFor));
}
