import * as config from "../../../aftercommit.config.ts";
import { declarationsOf } from "../../../packages/aftercommit/src/declare/declarations.ts";
import { type CheckId, categoryOf } from "../../../packages/aftercommit/src/doctor/checks.ts";
import { diagnose } from "../../../packages/aftercommit/src/doctor/diagnose.ts";
import type { Finding } from "../../../packages/aftercommit/src/doctor/finding.ts";

// A busy machine is not a failure.
const LIMIT_MS = 60_000;

export const declarations = declarationsOf(config);

/** The doctor's findings in some categories, or in all. */
export const findingsOf = (...only: string[]) => diagnose(declarations, { only, limitMs: LIMIT_MS });

export const problemsIn = (findings: readonly Finding[]) =>
  findings.filter(({ fix }) => fix !== undefined).map(({ id }) => id);

export const problems = async (...only: string[]) => problemsIn(await findingsOf(...only));

/** A problem, which must be the only one in its category by default. The error shows all findings. */
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

/** A problem in one line. */
export const said = ({ actual, fix }: Finding) => `${actual} → ${fix}`;
