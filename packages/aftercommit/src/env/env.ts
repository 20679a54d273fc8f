import { isKnown, NAMES, type VariableName, variables } from "./variables.ts";

type Source = Readonly<Record<string, string | undefined>>;

/** Where to get a variable, in parentheses, if that is known. */
export const whereOf = (name: string) => (isKnown(name) ? ` (${variables[name].where})` : "");

/**
 * One or more variables are missing or malformed. The message names each and says where to get it.
 *
 * @example
 * if (error instanceof EnvironmentError) console.error(error.message); // names the variable and where to get it
 */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
  readonly variables: readonly string[];

  constructor(problems: readonly { name: string; problem: string }[]) {
    super(problems.map(({ name, problem }) => `${name} ${problem}${whereOf(name)}`).join("; "));
    this.variables = problems.map(({ name }) => name);
  }
}

function check(name: string, source: Source, required: boolean): { value?: string; problem?: string } {
  const raw = source[name]?.trim();
  if (!raw) return required ? { problem: "is not set" } : {};
  if (!isKnown(name)) return { value: raw };
  const parsed = variables[name].schema.safeParse(raw);
  return parsed.success
    ? { value: parsed.data }
    : { problem: parsed.error.issues[0]?.message ?? "is not valid" };
}

/**
 * Reads an optional variable. An empty or blank text counts as missing.
 * @throws {EnvironmentError} if it is malformed
 */
export function optional(name: VariableName): string | undefined {
  const { value, problem } = check(name, process.env, false);
  if (problem) throw new EnvironmentError([{ name, problem }]);
  return value;
}

/**
 * Reads a required variable. An empty or blank text counts as missing.
 * @throws {EnvironmentError} if it is missing or malformed
 */
export const required = (name: VariableName): string => declaredVariable(name);

/**
 * Reads a variable that a declaration names: one of the product's, or another.
 * @throws {EnvironmentError} if it is missing or malformed
 */
export function declaredVariable(name: string, source: Source = process.env): string {
  const { value, problem } = check(name, source, true);
  if (value === undefined) throw new EnvironmentError([{ name, problem: problem ?? "is not set" }]);
  return value;
}

const problemsOf = (names: readonly string[], required: boolean) =>
  names.flatMap((name) => {
    const { problem } = check(name, process.env, required);
    return problem ? [{ name, problem }] : [];
  });

/**
 * Checks all variables that a process requires or uses, so that the first start names everything that is missing.
 * Variables that it does not use are not checked.
 * @throws {EnvironmentError} naming each missing or malformed variable
 */
export function checkEnvironment(needed: readonly string[], used: readonly string[] = []): void {
  const problems = [...problemsOf(needed, true), ...problemsOf(used, false)];
  if (problems.length > 0) throw new EnvironmentError(problems);
}

/** An error for each malformed variable of the product, whoever uses it. */
export function malformedVariables(): EnvironmentError[] {
  return problemsOf(NAMES, false).map((problem) => new EnvironmentError([problem]));
}
