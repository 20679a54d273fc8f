import { beforeEach, expect, it, vi } from "vitest";
import type { Case, Event } from "@/tests/helpers/sources/cases.ts";
import { itConforms } from "@/tests/helpers/sources/conformance.ts";
import { bodyOf, valuesOf } from "@/tests/helpers/sources/json.ts";
import { defineDeletion, defineEmbedding, defineTrigger } from "../define.ts";
import { serve } from "../serve.ts";

const secret = "a secret of the sources' tests";

/** The payload of the webhook's trigger: whole rows, whatever the replica identity. */
function payloadOf(event: Event): object[] {
  const base = { schema: "public", table: event.table };
  switch (event.action) {
    case "insert":
      return [{ ...base, type: "INSERT", record: valuesOf(event.after), old_record: null }];
    case "update": {
      const [record, old_record] = [valuesOf(event.after), valuesOf(event.before)];
      return [{ ...base, type: "UPDATE", record, old_record }];
    }
    case "delete":
      return [{ ...base, type: "DELETE", record: null, old_record: valuesOf(event.before) }];
    default:
      return [];
  }
}

const ofPosts = serve(
  defineEmbedding({ row: "post", table: "posts", key: "id", text: ["title", "body"], from: "supabase" }),
);

async function post(body: unknown, token = secret): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const request = new Request("http://localhost:3000/", { method: "POST", headers, body: bodyOf(body) });
  return (await ofPosts(request)).status;
}

beforeEach(() => vi.stubEnv("SUPABASE_WEBHOOK_SECRET", secret));

itConforms({
  name: "supabase",
  deletes: false,
  tellsCommits: false,
  without: { "the rows of a snapshot": "the webhook is a trigger; reconcile reads the rows" },
  async deliver({ commits, times = 1, reversed, malformed }: Case) {
    const payloads = commits.flat().flatMap(payloadOf);
    for (let time = 0; time < times; time += 1)
      for (const payload of reversed ? payloads.toReversed() : payloads)
        expect(await post(payload)).toBe(200);
    if (malformed)
      for (const invalid of [null, 17, { type: "INSERT" }]) expect(await post(invalid)).toBe(422);
  },
});

it("answers a wrong secret 401", async () => {
  expect(await post({}, "another")).toBe(401);
});

it("cannot be declared for deletions and tasks", () => {
  const table = { row: "user", table: "users", key: "id", from: "supabase" } as const;
  expect(() => defineDeletion(table)).toThrow("must not be supabase");
  expect(() => defineTrigger({ ...table, task: "a-task" })).toThrow("must not be supabase");
});
