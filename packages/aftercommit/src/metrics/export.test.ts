import { metrics } from "@opentelemetry/api";
import type { MeterProvider } from "@opentelemetry/sdk-metrics";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { z } from "zod";
import { POST } from "@/app/api/create-embedding-for-post/route.ts";
import { recorded, withMetadata } from "@/tests/fixtures/recorded.ts";
import { startCollector } from "@/tests/helpers/collector.ts";
import { read } from "@/tests/helpers/documents.ts";
import { databaseForTests } from "@/tests/helpers/posts-database.ts";
import { METRICS } from "./catalog.ts";
import { startMetrics } from "./start.ts";

const database = databaseForTests();
const SECRET = "a secret of the metrics' tests";

let collector: Awaited<ReturnType<typeof startCollector>>;
let provider: MeterProvider;

beforeAll(async () => {
  collector = await startCollector();
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", SECRET);
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url);
  vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=aftercommit");
  vi.stubEnv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=tests");
  provider = startMetrics();
});
afterAll(async () => {
  await provider.shutdown();
  metrics.disable();
  vi.unstubAllEnvs();
  await collector.close();
});

async function deliver(secret: string): Promise<number> {
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
  const ignored = withMetadata(recorded("12_users_delete"), { table_name: "users" });
  const body = JSON.stringify({ data: [ignored] });
  const url = "http://localhost:3000/api/create-embedding-for-post";
  return (await POST(new Request(url, { method: "POST", headers, body }))).status;
}

it("sends every metric of the list to the collector, with OTLP over HTTP", async () => {
  expect(await deliver(SECRET)).toBe(200);
  expect(await deliver("wrong")).toBe(401);
  await provider.forceFlush();

  const { headers, body } = z.object({ headers: z.unknown(), body: z.unknown() }).parse(collector.last());
  expect(headers).toMatchObject({ "content-type": "application/json", "x-team": "aftercommit" });
  expect(collector.resource(body)).toMatchObject({
    "service.name": "aftercommit",
    "service.instance.id": expect.stringMatching(/^[\da-f-]{36}$/),
    "deployment.environment.name": "tests",
  });
  const points = collector.points(body);
  const [deliveries, messages] = Object.keys(METRICS);
  const route = "/api/create-embedding-for-post";
  expect(points).toHaveLength(3);
  expect(points).toEqual(
    expect.arrayContaining([
      { metric: deliveries, attributes: { route, status: 200 }, value: 1 },
      { metric: deliveries, attributes: { route, status: 401 }, value: 1 },
      { metric: messages, attributes: { route, outcome: "ignored" }, value: 1 },
    ]),
  );
});

it("the queries of docs/operations.md work on the database", async () => {
  const [, section = ""] = read("docs/operations.md").split(/^## Metrics$/m);
  const queries = [...section.matchAll(/^\| .*?`(select [^`]+)`/gm)].map(([, query = ""]) => query);
  expect(queries.length).toBeGreaterThan(5);
  for (const query of queries)
    await expect(database.db.execute(sql.raw(query)), query).resolves.toBeDefined();
});
