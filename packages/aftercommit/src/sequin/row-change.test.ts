import { expect, it } from "vitest";
import { type Recorded, recorded, withMetadata } from "@/tests/fixtures/recorded.ts";
import { rowChangeOf } from "./row-change.ts";

const keyOf = (message: object) => rowChangeOf(message).id;
const insert = recorded("01_posts_insert");
const unkeyed = (metadata: object = {}) => withMetadata(insert, { idempotency_key: null, ...metadata });

function differs(a: Recorded, b: Recorded): boolean {
  const [left, right] = [keyOf(a), keyOf(b)];
  return left !== undefined && right !== undefined && left !== right;
}

it("has Sequin's own key within the consumer, and does not depend on the record", () => {
  expect(keyOf(insert)).toMatch(/^sequin:11111111-1111-4111-8111-111111111111:MjIzMDM4MzI6MA==:[\w-]{22}$/);
  const reloaded = withMetadata({ ...insert, record: { id: 1 } }, { database: undefined, enrichment: {} });
  expect(keyOf(reloaded)).toBe(keyOf(insert));
});

it("differs between two sinks that deliver the same change", () => {
  expect(differs(insert, withMetadata(insert, { consumer: { id: "other" } }))).toBe(true);
});

it("falls back to the position in the log", () => {
  expect(keyOf(unkeyed())).toMatch(/^sequin:11111111-1111-4111-8111-111111111111:22303832:0:[\w-]{22}$/);
  expect(differs(unkeyed(), unkeyed({ commit_idx: 1 }))).toBe(true);
});

it("differs on a new timeline, where another change has the same position", () => {
  expect(differs(insert, withMetadata(insert, { record_pks: ["2"] }))).toBe(true);
  expect(differs(insert, withMetadata(insert, { commit_timestamp: "2026-11-22T00:00:00.000000Z" }))).toBe(
    true,
  );
});

it("falls back to row, commit time and action for a message without a position", () => {
  const nowhere = { commit_lsn: null, commit_idx: null };
  const base = unkeyed(nowhere);
  expect(keyOf(base)).toBe(keyOf(unkeyed(nowhere)));
  expect(differs(base, unkeyed({ ...nowhere, record_pks: ["2"] }))).toBe(true);
  expect(differs(base, unkeyed({ ...nowhere, commit_timestamp: "2026-11-21T21:12:09.735335Z" }))).toBe(true);
  expect(differs(base, { ...base, action: "update" })).toBe(true);
});

it("is undefined if nothing tells two changes of a row apart, so that neither is mistaken for the other", () => {
  expect(keyOf({ record: { id: 1 } })).toBeUndefined();
  // Sequin's row sinks of 2024, with commit times in whole seconds and without record_pks.
  const metadata = { table_schema: "public", table_name: "posts", commit_timestamp: "2024-09-11T08:27:23Z" };
  expect(keyOf({ record: { id: 1 }, metadata })).toBeUndefined();
});
