import type { Unread } from "../changes/row-change.ts";
import type { Database } from "../db/client.ts";
import { routeOf } from "../declare/names.ts";
import { countMessages } from "../metrics/count.ts";
import { keyTypeOf } from "../source.ts";
import { available } from "./available.ts";
import { type Accepted, type Handler, logUnworked, type Outcome, outcomeOf } from "./outcome.ts";

function count<A>(route: string, outcomes: readonly Outcome<A>[], accepted: readonly Accepted[]): void {
  const of = (...kinds: Outcome<A>["kind"][]) => outcomes.filter(({ kind }) => kinds.includes(kind)).length;
  const pending = accepted.filter((result) => result === "pending").length;
  countMessages(route, {
    triggered: accepted.length - pending,
    pending,
    ignored: of("ignored", "nothing"),
    rejected: of("rejected"),
    unavailable: of("asked") - accepted.length,
  });
}

/**
 * Stores what the changes of a delivery ask for, and triggers the runs. `deadline` is in Unix milliseconds. Rejects
 * with UnavailableError if the database did not store it, with SourceError if it is not migrated, and with
 * TriggerRefusedError.
 */
export async function work<A>(
  db: Database,
  handler: Handler<A>,
  delivery: readonly Unread[],
  deadline: number,
): Promise<{ outcomes: Outcome<A>[]; accepted: Accepted[] }> {
  const route = routeOf(handler.declaration);
  let outcomes: Outcome<A>[] = [];
  let accepted: Accepted[] = [];
  try {
    const keyType = await available(() => keyTypeOf(db, handler.declaration), deadline);
    outcomes = delivery.map((element) => outcomeOf(element, (change) => handler.parse(change, keyType)));
    logUnworked(route, outcomes);
    const asked = outcomes.flatMap((outcome) => (outcome.kind === "asked" ? [outcome.asked] : []));
    if (asked.length > 0) accepted = await handler.enqueue(db, asked, deadline);
    return { outcomes, accepted };
  } finally {
    count(route, outcomes, accepted);
  }
}
