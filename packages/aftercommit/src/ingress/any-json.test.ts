import { runs } from "@trigger.dev/sdk";
import { describe, expect, it, vi } from "vitest";
import { deliver, newChange } from "@/tests/helpers/deliver.ts";
import { embeddingRouteForTests } from "@/tests/helpers/embedding-route.ts";
import { answerWith, startFaultyServer } from "@/tests/helpers/faulty-server.ts";

const aRun = { id: expect.stringMatching(/^run_/) };
// JSON.parse makes an own property of each; the SDK's serializer throws for three of them.
const hostile = JSON.parse(
  '{"constructor":{"prototype":1},"prototype":null,"__proto__":{"x":1},"toString":0,"toJSON":"x","then":[],"":{}}',
);

embeddingRouteForTests("any_json");

describe("objects with keys such as constructor and __proto__", () => {
  it.each(["title", "changes", "enrichment", "transaction_annotations", "consumer", "top level"])(
    "in %s trigger a run like any other",
    async (place) => {
      const message = newChange("02_posts_update", { record_pks: ["11"] });
      const { metadata } = message;
      const held = {
        title: { ...message, record: { ...message.record, title: hostile, ...hostile } },
        changes: { ...message, changes: { title: hostile, ...hostile } },
        enrichment: { ...message, metadata: { ...metadata, enrichment: hostile } },
        transaction_annotations: { ...message, metadata: { ...metadata, transaction_annotations: hostile } },
        consumer: { ...message, metadata: { ...metadata, consumer: { id: "c", annotations: hostile } } },
        "top level": { ...message, ...hostile },
      }[place];
      const { status, body } = await deliver(held);
      expect({ status, body }).toEqual({ status: 200, body: aRun });
      const { payload } = await runs.retrieve(body.id);
      expect(payload).toEqual({ postId: "11", changedAt: metadata.commit_timestamp });
    },
  );
});

/** A generator that returns the same numbers for the same seed (mulberry32). */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const scalars = [
  null,
  true,
  0,
  -0.5,
  1e308,
  2 ** 53,
  "",
  "unchanged_toast",
  "\u0000\ud800",
  "ä".repeat(300),
  "9007199254740993",
  "2026-11-21T21:12:08.735335Z",
];
const keys = [...Object.keys(hostile), "id", "title", "body", "json", "meta", "data", "record", "action"];

function anyJson(random: (below: number) => number, depth = 0): unknown {
  const kind = random(depth > 3 ? 1 : 3);
  if (kind === 0) return scalars[random(scalars.length)];
  const parts = Array.from({ length: random(4) }, () => anyJson(random, depth + 1));
  if (kind === 1) return parts;
  // Not by assignment: assigning `__proto__` creates no property.
  return Object.fromEntries(parts.map((part) => [keys[random(keys.length)], part]));
}

/** A change with arbitrary JSON in one of its places. */
function fuzzed(random: (below: number) => number) {
  const key = String(1 + random(100_000));
  const message: Record<string, unknown> = newChange("02_posts_update", { record_pks: [key] });
  const place = ["record", "changes", "metadata", "action", "note"][random(5)] ?? "record";
  const [known, made] = [message[place], anyJson(random)];
  const keepsItsOwn = typeof known === "object" && typeof made === "object" && random(4) > 0;
  message[place] = keepsItsOwn
    ? Object.fromEntries([...Object.entries({ ...known }), ...Object.entries({ ...made })])
    : made;
  return message;
}

it("no JSON in 1,000 messages makes a delivery fail", async () => {
  const trigger = await startFaultyServer(answerWith(200, '{"id":"run_taken","isCached":false}'));
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  const random = randomFrom(8);
  let accepted = 0;
  for (let batch = 0; batch < 100; batch += 1) {
    const data = Array.from({ length: 10 }, () => fuzzed(random));
    const { body } = await deliver({ data });
    expect(vi.mocked(console.error).mock.calls, JSON.stringify(data)).toEqual([]);
    expect(body.triggered + body.pending + body.ignored + (body.errors?.length ?? 0)).toBe(10);
    accepted += body.triggered + body.pending;
  }
  expect(accepted).toBeGreaterThan(400);
  // This many edits are a rush: only the first ones get separate runs.
  expect(trigger.state.requests).toBeGreaterThan(50);
  await trigger.close();
});
