import { allChecks } from "../../lib/doctor/checks.ts";
import { checksOf, type Result, runChecks } from "../../lib/doctor/run-checks.ts";

// A busy machine is no failure.
const LIMIT_MS = 60_000;

/** What the doctor finds in some categories, all of them when none is named. */
export const diagnose = (...categories: string[]) =>
  runChecks(checksOf(allChecks(), categories), { limitMs: LIMIT_MS });

/** Ids of what is failed or warned of. */
export const problemsIn = (results: readonly Result[]) =>
  results.filter(({ mend }) => mend !== undefined).map(({ id }) => id);

export const problems = async (...categories: string[]) => problemsIn(await diagnose(...categories));

/** A problem, whatever else is found in its category. */
export async function findProblem(id: string): Promise<Result & { mend: string }> {
  const results = await diagnose(id.slice(0, id.indexOf(".")));
  const found = results.find((result) => result.id === id);
  if (found?.mend === undefined) throw new Error(`Not ${id}: ${JSON.stringify(results, null, 2)}`);
  return { ...found, mend: found.mend };
}

/** The one problem in a category, by its id; anything else that is found is told by the error. */
export async function onlyProblem(id: string): Promise<Result & { mend: string }> {
  const results = await diagnose(id.slice(0, id.indexOf(".")));
  const [found, ...others] = results.filter(({ mend }) => mend !== undefined);
  if (found?.mend === undefined || found.id !== id || others.length > 0)
    throw new Error(`Not ${id} alone: ${JSON.stringify(results, null, 2)}`);
  return { ...found, mend: found.mend };
}
