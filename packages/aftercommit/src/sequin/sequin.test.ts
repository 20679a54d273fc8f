import { beforeEach, vi } from "vitest";
import { posts, users } from "@/aftercommit.config.ts";
import { recorded } from "@/tests/fixtures/recorded.ts";
import type { Case, Event, Row } from "@/tests/helpers/sources/cases.ts";
import { itConforms } from "@/tests/helpers/sources/conformance.ts";
import { serve } from "../serve.ts";

const secret = "a secret of the sources' tests";
const LSN = 22_303_832;
// A value that Sequin does not send when an update leaves it unchanged, from about 2 KB on.
const TOASTED = 2_000;

const { metadata } = recorded("01_posts_insert");
const time = "2026-02-03T04:05:06.789012Z";

/** A bigint is a JSON number with all its digits, which JSON.stringify does not write. */
const bodyOf = (messages: unknown[]) =>
  JSON.stringify({ data: messages }).replaceAll(/"bigint:(-?\d+)"/g, "$1");
const valuesOf = (row: Row) =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      column === "id" && /^-?\d+$/.test(value ?? "") ? `bigint:${value}` : value,
    ]),
  );

/** The changes of an update: the old values under replica identity full, none under the default. */
function changesOf(event: Event, identity: string): Row | null {
  if (event.action !== "update") return null;
  if (identity === "default") return {};
  return Object.fromEntries(
    Object.entries(event.before).filter(([column, value]) => event.after[column] !== value),
  );
}

function recordOf(event: Event, identity: string): Row {
  if (event.action === "truncate") return {};
  if (event.action !== "delete")
    return event.action === "update" && identity === "default"
      ? Object.fromEntries(
          Object.entries(event.after).map(([column, value]) => [
            column,
            (value ?? "").length > TOASTED && value === event.before[column] ? "unchanged_toast" : value,
          ]),
        )
      : event.after;
  if (identity === "full") return event.before;
  return Object.fromEntries(
    Object.entries(event.before).map(([column, value]) => [column, column === "id" ? value : null]),
  );
}

function messageOf(event: Event, { identity, lsn, index }: { identity: string; lsn: number; index: number }) {
  const record = recordOf(event, identity);
  const isRead = event.action === "read";
  return {
    action: event.action,
    record: valuesOf(record),
    changes: changesOf(event, identity) && valuesOf(changesOf(event, identity) ?? {}),
    metadata: {
      ...metadata,
      table_name: event.table,
      record_pks: [record.id],
      commit_timestamp: time,
      commit_lsn: isRead ? null : lsn,
      commit_idx: isRead ? null : index,
      idempotency_key: Buffer.from(`${lsn}:${index}`).toString("base64"),
    },
  };
}

/** The messages of a case as docs/contracts/sequin.md describes them. Sequin does not send truncations. */
function messagesOf({ commits, identity = "full", reversed }: Case) {
  const messages = commits.flatMap((events, commit) =>
    events.flatMap((event, index) =>
      event.action === "truncate" ? [] : [messageOf(event, { identity, lsn: LSN + commit, index })],
    ),
  );
  return reversed ? messages.toReversed() : messages;
}

const routes = [serve(posts), serve(users)];

beforeEach(() => vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret));

itConforms({
  name: "sequin",
  async deliver(given) {
    const data: unknown[] = messagesOf(given);
    if (given.malformed)
      data.splice(1, 0, null, 17, { action: "insert" }, { ...messagesOf(given)[0], record: { id: {} } });
    if (data.length === 0) return;
    for (let time = 0; time < (given.times ?? 1); time += 1)
      for (const route of routes) {
        const request = new Request("http://localhost:3000/", {
          method: "POST",
          headers: { authorization: `Bearer ${secret}` },
          body: bodyOf(data),
        });
        const { status } = await route(request);
        if (status !== 200) throw new Error(`The route answered ${status}`);
      }
  },
});
