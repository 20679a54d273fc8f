import * as config from "../../aftercommit.config.ts";
import { declarationsOf } from "../../packages/aftercommit/src/declare/declarations.ts";
import { type CheckId, categoryOf } from "../../packages/aftercommit/src/doctor/checks.ts";
import { diagnose } from "../../packages/aftercommit/src/doctor/diagnose.ts";
import type { Finding } from "../../packages/aftercommit/src/doctor/finding.ts";

// A busy machine is no failure.
const LIMIT_MS = 60_000;

export const declarations = declarationsOf(config);

/** What the doctor finds in some categories, in all of them when none is named. */
export const findingsOf = (...only: string[]) => diagnose(declarations, { only, limitMs: LIMIT_MS });

export const problemsIn = (findings: readonly Finding[]) =>
  findings.filter(({ fix }) => fix !== undefined).map(({ id }) => id);

export const problems = async (...only: string[]) => problemsIn(await findingsOf(...only));

/** A problem, which has to be the only one in its category unless said otherwise; the error has whatever is found. */
export async function problemOf(
  id: CheckId,
  { isAlone = true, of = declarations } = {},
): Promise<Finding & { fix: string }> {
  const findings = await diagnose(of, { only: [categoryOf(id)], limitMs: LIMIT_MS });
  const found = findings.find((finding) => finding.id === id);
  if (found?.fix === undefined || (isAlone && problemsIn(findings).length > 1))
    throw new Error(`Not ${id}: ${JSON.stringify(findings, null, 2)}`);
  return { ...found, fix: found.fix };
}

/** What a problem says, in one line. */
export const said = ({ actual, fix }: Finding) => `${actual} → ${fix}`;
