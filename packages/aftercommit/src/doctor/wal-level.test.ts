import { expect, it } from "vitest";
import type { Facts } from "./capture-facts.ts";
import { walOutcome } from "./wal-level.ts";

const facts = (
  reader: Facts["names"]["reader"],
  walLevel: string,
  { effectiveWalLevel = null, hasLimit = true }: Partial<Facts> = {},
): Facts => ({
  names: { reader, slot: "a", publication: "b" },
  declarations: [],
  walLevel,
  effectiveWalLevel,
  hasLimit,
  emulator: null,
  publication: null,
  slot: null,
});
const BEFORE_19 = {};
const WITH_SLOT = { effectiveWalLevel: "logical" };
const WITHOUT_SLOT = { effectiveWalLevel: "replica" };

// PostgreSQL 19 is on no machine of the tests: this is what its two settings mean, as its documentation says.
it.each([
  ["Sequin", "logical", BEFORE_19, "ok", "logical, limited"],
  ["Sequin", "replica", BEFORE_19, "failed", "wal_level is replica"],
  [
    "Sequin",
    "replica",
    WITH_SLOT,
    "failed",
    "wal_level is replica, which Sequin refuses, though PostgreSQL 19 would not",
  ],
  ["Sequin", "logical", WITH_SLOT, "ok", "logical, limited"],
  ["npx aftercommit capture", "replica", BEFORE_19, "failed", "wal_level is replica"],
  ["npx aftercommit capture", "replica", WITH_SLOT, "ok", "replica, logical in effect, limited"],
  ["npx aftercommit capture", "replica", WITHOUT_SLOT, "ok", "replica, replica in effect, limited"],
  ["npx aftercommit capture", "minimal", WITHOUT_SLOT, "failed", "wal_level is minimal"],
  [
    "npx aftercommit capture",
    "replica",
    { ...WITH_SLOT, hasLimit: false },
    "warning",
    "max_slot_wal_keep_size has no limit",
  ],
] as const)("with %s, wal_level %s and %j, the check is %s: %s", (reader, level, rest, state, actual) => {
  expect(walOutcome(facts(reader, level, rest))).toMatchObject({ state, actual });
});
