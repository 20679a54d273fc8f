import { runs } from "@trigger.dev/sdk";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { answerWith, startFaultyServer } from "../faulty-server.ts";
import { databaseForTests } from "../tasks/database.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { deliver, newChange, secret } from "./deliver.ts";

const KEY = "tr_dev_any_json";
const aRun = { id: expect.stringMatching(/^run_/) };
// JSON.parse makes an own property of each; the SDK's serialiser throws at three of them.
const hostile = JSON.parse(
  '{"constructor":{"prototype":1},"prototype":null,"__proto__":{"x":1},"toString":0,"toJSON":"x","then":[],"":{}}',
);

databaseForTests();
let server: Awaited<ReturnType<typeof startTriggerServer>>;

beforeAll(async () => {
  server = await startTriggerServer(KEY);
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
  vi.stubEnv("TRIGGER_API_URL", server.url);
  vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

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

/** A generator that gives the same numbers for the same seed (mulberry32). */
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
  // Not by assignment: that of `__proto__` makes no property.
  return Object.fromEntries(parts.map((part) => [keys[random(keys.length)], part]));
}

/** A change with any JSON at all in one of its places. */
function fuzzed(random: (below: number) => number) {
  const message: Record<string, unknown> = newChange("02_posts_update");
  const place = ["record", "changes", "metadata", "action", "note"][random(5)] ?? "record";
  const [known, made] = [message[place], anyJson(random)];
  const keepsItsOwn = typeof known === "object" && typeof made === "object" && random(4) > 0;
  message[place] = keepsItsOwn
    ? Object.fromEntries([...Object.entries({ ...known }), ...Object.entries({ ...made })])
    : made;
  return message;
}

it("no JSON at all in 1,000 messages makes a trigger fail", { timeout: 180_000 }, async () => {
  const trigger = await startFaultyServer(answerWith(200, '{"id":"run_taken","isCached":false}'));
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  for (const level of ["info", "warn"] as const) vi.spyOn(console, level).mockImplementation(() => {});
  const error = vi.spyOn(console, "error");
  const random = randomFrom(8);
  try {
    for (let batch = 0; batch < 100; batch += 1) {
      const data = Array.from({ length: 10 }, () => fuzzed(random));
      const { body } = await deliver({ data });
      expect(error.mock.calls, JSON.stringify(data)).toEqual([]);
      expect(body.triggered + body.ignored + (body.errors?.length ?? 0)).toBe(10);
    }
    expect(trigger.state.requests).toBeGreaterThan(500);
  } finally {
    vi.restoreAllMocks();
    vi.stubEnv("TRIGGER_API_URL", server.url);
    await trigger.close();
  }
});
