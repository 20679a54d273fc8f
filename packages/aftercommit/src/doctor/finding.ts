import type { Database } from "../db/client.ts";
import type { Declaration } from "../declare/declaration.ts";
import { EnvironmentError } from "../env/env.ts";
import { rootMessageOf } from "../errors.ts";
import { withDeadline } from "../with-deadline.ts";
import type { CheckId } from "./checks.ts";
import { withoutSecrets } from "./shown.ts";

type State = "ok" | "warning" | "failed" | "skipped";

/** `ends`: the category cannot continue. */
type Outcome = { state: State; actual: string; fix?: string | undefined; ends?: true };

/**
 * The result of a check, without any secret. A warning or a failure has a fix: a command, a statement or a sentence.
 */
export type Finding = Outcome & { id: CheckId };

export const ok = (actual: string): Outcome => ({ state: "ok", actual });
export const skipped = (actual: string): Outcome => ({ state: "skipped", actual });
export const warning = (actual: string, fix?: string): Outcome => ({ state: "warning", actual, fix });
export const failed = (actual: string, fix?: string): Outcome => ({ state: "failed", actual, fix });
export const last = (outcome: Outcome): Outcome => ({ ...outcome, ends: true });
export const okUnless = (problems: readonly string[], actual: string, fix?: string): Outcome =>
  problems.length === 0 ? ok(actual) : failed(problems.join("; "), fix);

/** A check failed for a reason with its own fix. */
export class CheckError extends Error {
  override readonly name = "CheckError";
  readonly fix: string | undefined;

  constructor(message: string, fix?: string) {
    super(message);
    this.fix = fix;
  }
}

/** Runs one check. `fix` is the default fix. If `work` throws, the category ends. */
type Check = (id: CheckId, fix: string, work: () => Promise<Outcome>) => Promise<Finding>;

export type Server = { db: Database; url: string; version: string; isWebAssembly: boolean };

/**
 * Shared by all categories of one pass. `server` rejects if the database does not answer; `testWebhooks` lets a check
 * send events that delete nothing.
 */
type Context = {
  declarations: readonly Declaration[];
  server: () => Promise<Server>;
  check: Check;
  testWebhooks: boolean;
};

export type Category = (context: Context) => AsyncGenerator<Finding, void, undefined>;

function thrown(error: unknown): Outcome {
  const variables = error instanceof EnvironmentError ? error.variables.join(", ") : undefined;
  const fix = variables && `Set ${variables} in the environment or in .env.local`;
  return last(failed(rootMessageOf(error), error instanceof CheckError ? error.fix : fix));
}

export const checkWithin =
  (limitMs: number): Check =>
  async (id, otherFix, work) => {
    const { actual, fix = otherFix, ...rest } = await withDeadline(work, Date.now() + limitMs).catch(thrown);
    const isFine = rest.state === "ok" || rest.state === "skipped";
    return { id, ...rest, actual: withoutSecrets(actual), ...(isFine ? {} : { fix: withoutSecrets(fix) }) };
  };
