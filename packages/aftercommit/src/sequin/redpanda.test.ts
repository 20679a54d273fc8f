import { beforeEach, vi } from "vitest";
import { posts, users } from "@/aftercommit.config.ts";
import type { Case, Event, Row } from "@/tests/helpers/sources/cases.ts";
import { itConforms } from "@/tests/helpers/sources/conformance.ts";
import { bodyOf, valuesOf } from "@/tests/helpers/sources/json.ts";
import { serve } from "../serve.ts";

const secret = "a secret of the sources' tests";
const TIME = Date.UTC(2026, 1, 3, 4, 5, 6);
const LSN = 0x16b_3748;

/** A row of postgres_cdc and its metadata: null for a TOASTed value that an update left alone. */
function readOf(event: Event, identity: string): { row: Row; before?: Row } | undefined {
  switch (event.action) {
    case "truncate":
      return undefined;
    case "delete":
      return { row: identity === "full" ? event.before : { id: event.before.id ?? null } };
    case "update": {
      const { before, after } = event;
      if (identity === "full") return { row: after, before };
      const isUnchanged = before.body === after.body && (after.body ?? "").length > 2_000;
      return { row: isUnchanged ? { ...after, body: null } : after };
    }
    default:
      return { row: event.after };
  }
}

/** The mapping of docs/sources.md. */
function messagesOf({ commits, identity = "full", reversed }: Case): object[] {
  const messages = commits.flatMap((events, commit) =>
    events.flatMap((event, index) => {
      const read = readOf(event, identity);
      if (!read) return [];
      const { row, before } = read;
      const lsn = `0/${(LSN + commit * 1_000 + index).toString(16).toUpperCase()}`;
      return {
        action: event.action,
        record: valuesOf(row),
        ...(before && before.id !== row.id && { changes: valuesOf({ id: before.id ?? null }) }),
        metadata: {
          table_schema: "public",
          table_name: event.table,
          record_pks: [row.id],
          ...(event.action !== "read" && {
            commit_timestamp: new Date(TIME + commit * 1_000).toISOString(),
            idempotency_key: `${lsn}:${event.table}:${row.id}`,
          }),
        },
      };
    }),
  );
  return reversed ? messages.toReversed() : messages;
}

const routes = [serve(posts), serve(users)];

beforeEach(() => vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret));

itConforms({
  name: "redpanda",
  async deliver(given) {
    const data: unknown[] = messagesOf(given);
    if (given.malformed) data.splice(1, 0, null, { action: "insert" });
    if (data.length === 0) return;
    for (let time = 0; time < (given.times ?? 1); time += 1)
      for (const route of routes) {
        const headers = { authorization: `Bearer ${secret}` };
        const body = bodyOf({ data });
        const { status } = await route(
          new Request("http://localhost:3000/", { method: "POST", headers, body }),
        );
        if (status !== 200) throw new Error(`The route answered ${status}`);
      }
  },
});
