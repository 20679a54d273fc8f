import type { Facts } from "./capture-facts.ts";
import { failed, last, ok, warning } from "./finding.ts";

const LIMIT_SLOTS = "alter system set max_slot_wal_keep_size = '10GB'; select pg_reload_conf()";

/**
 * Whether the server writes what the reader of the changes needs to its WAL. From PostgreSQL 19 on, `replica` suffices:
 * while there is a logical slot, effective_wal_level is `logical`. Sequin looks at wal_level and refuses such a server.
 */
export function walOutcome({ names, walLevel, effectiveWalLevel, hasLimit }: Facts) {
  const isRaised = walLevel === "replica" && effectiveWalLevel !== null;
  if (walLevel !== "logical" && !isRaised) return last(failed(`wal_level is ${walLevel}`));
  if (isRaised && names.reader === "Sequin")
    return last(failed(`wal_level is ${walLevel}, which Sequin refuses, though PostgreSQL 19 would not`));
  if (!hasLimit) return warning("max_slot_wal_keep_size has no limit", LIMIT_SLOTS);
  return ok(isRaised ? `${walLevel}, ${effectiveWalLevel} in effect, limited` : "logical, limited");
}
