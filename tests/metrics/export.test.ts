import { metrics } from "@opentelemetry/api";
import type { MeterProvider } from "@opentelemetry/sdk-metrics";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { z } from "zod";
import { POST } from "../../app/api/create-embedding-for-post/route.ts";
import { countRows } from "../../drizzle/queries/embeddings/counts.ts";
import { posts } from "../../lib/embeddings/posts.ts";
import { METRICS } from "../../lib/metrics/catalog.ts";
import { startMetrics } from "../../lib/metrics/start.ts";
import { answerWith, startFaultyServer } from "../faulty-server.ts";
import { recorded, withMetadata } from "../fixtures/recorded.ts";
import { databaseForTests } from "../tasks/database.ts";
import { startCollector } from "./collector.ts";

const database = databaseForTests();
const SECRET = "a secret of the metrics' tests";
const QUEUE = {
  id: "queue_1",
  name: "create-embedding-for-post",
  type: "task",
  running: 2,
  queued: 3,
  paused: false,
};
const QUEUES = {
  data: [{ ...QUEUE, concurrencyLimit: null }],
  pagination: { currentPage: 1, totalPages: 1, count: 1 },
};

let collector: Awaited<ReturnType<typeof startCollector>>;
let trigger: Awaited<ReturnType<typeof startFaultyServer>>;
let provider: MeterProvider;

beforeAll(async () => {
  collector = await startCollector();
  trigger = await startFaultyServer(answerWith(200, JSON.stringify(QUEUES)));
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", SECRET);
  vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_metrics");
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url);
  vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=aftercommit");
  vi.stubEnv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=tests");
  provider = startMetrics();
});
afterAll(async () => {
  await provider.shutdown();
  metrics.disable();
  vi.unstubAllEnvs();
  await trigger.close();
  await collector.close();
});

async function deliver(secret: string): Promise<number> {
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
  const ignored = withMetadata(recorded("12_users_delete"), { table_name: "users" });
  const body = JSON.stringify({ data: [ignored] });
  const url = "http://localhost:3000/api/create-embedding-for-post";
  return (await POST(new Request(url, { method: "POST", headers, body }))).status;
}

/** A moment at which every gauge has something to say. */
async function prepare(): Promise<void> {
  const { db } = database;
  const id = await database.insertPost();
  await db.execute(sql`insert into post_embeddings
    (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding, changed_at, updated_at)
    select id, 1, 0, 1, text_hash, 0, 1, 1, array_fill(0.1::real, array[1536])::vector::halfvec, now() - interval '3 seconds', now()
    from posts where id = ${id}`);
  await countRows(db, posts.of, 1);
  await db.execute(sql`insert into embedding_budget (model, tokens, requests, blocked_until)
    values ('text-embedding-3-small', 500000, 10, now() + interval '1 hour')`);
  await db.execute(sql`insert into user_deletions (user_id, requested_at)
    values (gen_random_uuid(), now() - interval '2 days'), (gen_random_uuid(), now())`);
  // The local server's WAL is not for logical ones.
  await db.execute(sql`select pg_create_physical_replication_slot('metrics_slot', true)`);
}

it("sends every metric of the list to the collector, by OTLP over HTTP", async () => {
  await prepare();
  expect(await deliver(SECRET)).toBe(200);
  expect(await deliver("wrong")).toBe(401);
  await provider.forceFlush();
  await database.db.execute(sql`select pg_drop_replication_slot('metrics_slot')`);

  const { headers, body } = z.object({ headers: z.unknown(), body: z.unknown() }).parse(collector.last());
  expect(headers).toMatchObject({ "content-type": "application/json", "x-team": "aftercommit" });
  expect(collector.resource(body)).toMatchObject({
    "service.name": "aftercommit",
    "deployment.environment.name": "tests",
  });
  const points = collector.points(body);
  expect([...new Set(points.map(({ metric }) => metric))].toSorted()).toEqual(
    Object.keys(METRICS).toSorted(),
  );

  const valueAt = (metric: string, attributes: Record<string, unknown>) =>
    points.find(
      (point) =>
        point.metric === metric &&
        Object.entries(attributes).every(([key, value]) => point.attributes[key] === value),
    )?.value;
  const route = "/api/create-embedding-for-post";
  expect(valueAt("aftercommit.ingress.deliveries", { route, status: 401 })).toBe(1);
  expect(valueAt("aftercommit.ingress.messages", { route, outcome: "ignored" })).toBe(1);
  expect(valueAt("aftercommit.embedding.lag", { quantile: "0.5" })).toBeCloseTo(3, 3);
  expect(valueAt("aftercommit.posts", { state: "embedded" })).toBe(1);
  expect(valueAt("aftercommit.queue.queued", { queue: QUEUE.name })).toBe(3);
  expect(valueAt("aftercommit.deletions.open", {})).toBe(2);
  expect(valueAt("aftercommit.deletions.oldest", {})).toBeGreaterThanOrEqual(172_800);
  expect(valueAt("aftercommit.embedding.budget.blocked", {})).toBeGreaterThan(3_500);
  expect(valueAt("aftercommit.replication_slot.active", { slot: "metrics_slot" })).toBe(0);
});

it("leaves out what cannot be read, and sends the others", async () => {
  vi.stubEnv("TRIGGER_API_URL", "http://127.0.0.1:1");
  await provider.forceFlush();
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  const { body } = z.object({ body: z.unknown() }).parse(collector.last());
  const names = collector.points(body).map(({ metric }) => metric);
  expect(names).not.toContain("aftercommit.queue.queued");
  expect(names).toContain("aftercommit.deletions.open");
});
