import { randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { beforeEach, expect, it, vi } from "vitest";
import type { Case, Event, Row } from "@/tests/helpers/sources/cases.ts";
import { itConforms } from "@/tests/helpers/sources/conformance.ts";
import { bodyOf, valuesOf } from "@/tests/helpers/sources/json.ts";
import { defineDeletion, defineEmbedding } from "../define.ts";
import { serve } from "../serve.ts";

const secret = `whsec_${Buffer.from("a secret of 24 bytes or more").toString("base64")}`;
const LSN = 24_023_128;
const TIME = 1_770_091_506_789;

type Place = { identity: string; commit: number; index: number };

/** What happened, as the connector tells it: a change of the key is a delete and an insert at the same place. */
function envelopesOf(event: Event, { identity, commit, index }: Place): object[] {
  const isRead = event.action === "read";
  const source = {
    version: "3.6.0.Final",
    connector: "postgresql",
    name: "app",
    ts_ms: TIME + commit,
    ts_us: (TIME + commit) * 1_000,
    snapshot: isRead ? "true" : "false",
    db: "app",
    sequence: `["${LSN}","${LSN + commit * 1_000 + index}"]`,
    schema: "public",
    table: event.table,
    txId: 555 + commit,
    lsn: LSN + commit * 1_000 + index,
    xmin: null,
  };
  const envelope = (op: string, before: Row | null, after: Row | null) => ({
    before: before && valuesOf(before),
    after: after && valuesOf(after),
    source,
    transaction: null,
    op,
    ts_ms: TIME + 100,
  });
  const known = (row: Row): Row => (identity === "full" ? row : { id: row.id ?? null });
  switch (event.action) {
    case "truncate":
      return [envelope("t", null, null)];
    case "insert":
    case "read":
      return [envelope(isRead ? "r" : "c", null, event.after)];
    case "delete":
      return [envelope("d", known(event.before), null)];
    case "update": {
      const { before, after } = event;
      if (before.id !== after.id) return [envelope("d", known(before), null), envelope("c", null, after)];
      if (identity === "full") return [envelope("u", before, after)];
      const unavailable = before.body === after.body && (after.body ?? "").length > 2_000;
      return [envelope("u", null, unavailable ? { ...after, body: "__debezium_unavailable_value" } : after)];
    }
  }
}

function eventsOf({ commits, identity = "full", reversed }: Case): object[] {
  const events = commits.flatMap((list, commit) =>
    list.flatMap((event, index) => envelopesOf(event, { identity, commit, index })),
  );
  return reversed ? events.toReversed() : events;
}

function signed(body: string, headers: Record<string, string> = {}): Request {
  const id = `msg_${randomUUID()}`;
  const now = new Date();
  return new Request("http://localhost:3000/", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
      "webhook-signature": new Webhook(secret).sign(id, now, body),
      ...headers,
    },
    body,
  });
}

const posts = defineEmbedding({
  row: "post",
  table: "posts",
  key: "id",
  text: ["title", "body"],
  columns: ["title", "author"],
  filters: ["author", "created_at"],
  from: "debezium",
});
const users = defineDeletion({ row: "user", table: "users", key: "id", email: "email", from: "debezium" });
// Debezium Server has one address for all tables.
const route = serve(posts, users);

beforeEach(() => vi.stubEnv("DEBEZIUM_WEBHOOK_SECRET", secret));

const schema = { type: "struct", name: "app.public.posts.Envelope", optional: false };
const withSchema = (events: object[]) => events.map((payload) => ({ schema, payload }));

async function deliver(given: Case, bodies: unknown[]): Promise<void> {
  for (let time = 0; time < (given.times ?? 1); time += 1)
    for (const body of bodies) expect((await route(signed(bodyOf(body)))).status).toBe(200);
}

const INVALID = [null, 17, { op: "x" }, { op: "c", source: {}, after: null }];
const database = itConforms({
  name: "debezium",
  deliver: (given) => deliver(given, [[...withSchema(eventsOf(given)), ...(given.malformed ? INVALID : [])]]),
});

it("takes single events without schemas, and answers an invalid one 200", async () => {
  const insert = envelopesOf(
    { table: "posts", action: "insert", after: { id: "7", title: "A", body: "B" } },
    { identity: "full", commit: 1, index: 0 },
  );
  for (const body of [...insert, ...INVALID]) expect((await route(signed(bodyOf(body)))).status).toBe(200);
  const { rows } = await database.db.execute("select row_id as id from aftercommit.pending");
  expect(rows).toEqual([{ id: "7" }]);
});

it("does not take a change of the key for a deletion", async () => {
  const before = { id: "20f5cc55-b218-4aad-8fa7-ef7556575776", email: "ada@example.com" };
  const after = { ...before, id: "20f5cc55-b218-4aad-8fa7-ef7556575777" };
  const events = envelopesOf(
    { table: "users", action: "update", before, after },
    { identity: "full", commit: 1, index: 0 },
  );
  await route(signed(bodyOf(events)));
  await route(signed(bodyOf(events[0]), { "X-DEBEZIUM-__DEBEZIUM.NEWKEY": "eyJpZCI6IjIifQ==" }));
  const { rows } = await database.db.execute("select row_id from aftercommit.deletions");
  expect(rows).toEqual([]);
});

it.each([
  ["no signature", { "webhook-signature": "" }],
  ["another signature", { "webhook-signature": "v1,AAAA" }],
  ["an old time", { "webhook-timestamp": "1770091506" }],
])("answers %s 401", async (_, headers) => {
  expect((await route(signed("{}", headers))).status).toBe(401);
});
