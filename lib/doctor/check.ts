/** What a check found. `mend` is the one command or statement that mends it; without one, the check's hint says how. */
export type Verdict =
  | { kind: "good"; seen: string }
  | { kind: "problem"; seen: string; mend?: string }
  /** There is nothing to check here, and nothing for what depends on it. */
  | { kind: "not-needed"; seen: string };

export const good = (seen: string): Verdict => ({ kind: "good", seen });
export const problem = (seen: string, mend?: string): Verdict => ({ kind: "problem", seen, mend });
export const notNeeded = (seen: string): Verdict => ({ kind: "not-needed", seen });

/** One thing that has to be so, for `npm run doctor`. Nothing is written by any check. */
export type Check = {
  /** `category.name`, which stays the same over time. */
  id: string;
  /** What is so where all is well. */
  description: string;
  /** How it is mended in general. */
  hint: string;
  /** Where it fails, what needs it is not run. */
  fatal?: true;
  /** Where it fails, everything works for now. */
  warning?: true;
  /** Ids of fatal checks. */
  needs?: readonly string[];
  run(): Promise<Verdict>;
};

export const categoryOf = (id: string) => id.slice(0, id.indexOf("."));

/** Makes something once, for all checks that look at it. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
