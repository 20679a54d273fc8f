import { beforeDeadline } from "../before-deadline.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { createRefusalCount, type Refusal, type Refusals } from "./count-refusals.ts";
import { createSlowDown } from "./slow-down.ts";

// Nobody waits for a count, and no connection longer than this.
const LIMIT_MS = 5_000;
const LONGEST_ADDRESS = 45;

async function record(refusals: Refusals[]): Promise<void> {
  // Loaded when there is something to count: the proxy, which stands before each page, needs no database else.
  const [{ database }, { addUnprocessed }] = await Promise.all([
    import("../database.ts"),
    import("../../drizzle/queries/unprocessed-messages.ts"),
  ]);
  for (const { route, reason, requests } of refusals)
    await addUnprocessed(database(), route, [
      { outcome: "refused", reason, messages: requests, example: "" },
    ]);
}

function write(refusals: Refusals[]): void {
  const of = refusals.map(({ route, reason, requests }) => `${requests} ${route} ${reason}`).join(", ");
  log("warn", "access.refused", { of });
  beforeDeadline(() => record(refusals), Date.now() + LIMIT_MS).catch((error: unknown) =>
    log("warn", "access.refused_not_counted", { error: rootMessageOf(error) }),
  );
}

/** The nearest proxy adds the last address; without a proxy Next.js adds the connection's, unless the request has one. */
function sourceOf(request: Request): string {
  const addresses = request.headers.get("x-forwarded-for") ?? "";
  return addresses
    .slice(addresses.lastIndexOf(",") + 1)
    .trim()
    .slice(0, LONGEST_ADDRESS);
}

const slowDown = createSlowDown();
const count = createRefusalCount(write);

/**
 * Counts a request that came without the right secret, for the log and the status page, and resolves when it may be
 * answered: later, when its source had many of them. Never to be called for one with the right secret, which so is
 * answered at once from wherever it comes.
 */
export async function noteFailure(request: Request, refusal: Refusal): Promise<void> {
  count(refusal);
  await slowDown(sourceOf(request));
}
