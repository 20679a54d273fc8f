import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { METRICS } from "../../packages/aftercommit/src/metrics/catalog.ts";
import { anchorsOf, read } from "../helpers/documents.ts";
import { type ExporterMetric, exporterSchema } from "../helpers/monitoring/exporter-schema.ts";
import { namesIn } from "../helpers/monitoring/promql.ts";
import { databaseForTests } from "../helpers/posts-database.ts";

const exporter = exporterSchema.parse(parse(read("deploy/monitoring/sql_exporter.yml")));
const rules = z
  .strictObject({
    groups: z.tuple([
      z.strictObject({
        name: z.string(),
        rules: z.array(
          z.strictObject({
            alert: z.string().regex(/^Aftercommit[A-Z][A-Za-z]+$/),
            expr: z.string(),
            for: z
              .string()
              .regex(/^\d+m$/)
              .optional(),
            labels: z.strictObject({ severity: z.enum(["warning", "critical"]) }),
            annotations: z.strictObject({
              summary: z.string().max(80),
              runbook: z.string().regex(/^docs\/operations\.md#/),
            }),
          }),
        ),
      }),
    ]),
  })
  .parse(parse(read("deploy/monitoring/alerts.yml"))).groups[0].rules;
const gridPos = z.object({ x: z.int().min(0), y: z.int().min(0), w: z.int().max(24), h: z.int() });
const dashboard = z
  .object({
    uid: z.literal("aftercommit"),
    schemaVersion: z.int(),
    panels: z.array(
      z.object({
        id: z.int(),
        type: z.enum(["stat", "timeseries"]),
        title: z.string(),
        description: z.string(),
        gridPos,
        targets: z.array(z.object({ refId: z.string(), expr: z.string() })).min(1),
      }),
    ),
  })
  .parse(JSON.parse(read("deploy/monitoring/dashboard.json")));
const fromDatabase = exporter.collectors.flatMap(({ metrics }) => metrics);

/** A metric of the app as Prometheus' OTLP endpoint names it: opentelemetry.io/docs/specs/otel/compatibility. */
const UNITS: Record<string, string> = { By: "_bytes", s: "_seconds" };
const fromApp = Object.entries(METRICS).map(([name, { unit }]) => {
  const suffix = UNITS[unit] ?? (/^\{\w+\}$/.test(unit) ? "_total" : undefined);
  if (suffix === undefined) throw new Error(`What does Prometheus call ${name}, in ${unit}?`);
  return `${name.replaceAll(".", "_")}${suffix}`;
});
const exported = [...fromDatabase.map(({ metric_name }) => metric_name), ...fromApp];
const labels = new Set([
  ...fromDatabase.flatMap(({ key_labels, value_label = "" }) => [...key_labels, value_label]),
  ...["route", "status", "outcome", "slot"],
]);
const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

describe("the expressions of the alerts and of the dashboard", () => {
  it.each(expressions)("are PromQL about metrics and labels that exist: %s, %s", (_, expression) => {
    const names = namesIn(expression);
    expect(names.metrics.length).toBeGreaterThan(0);
    for (const name of names.metrics) expect(exported).toContain(name);
    for (const name of names.labels) expect([...labels]).toContain(name);
  });

  it("use every metric, the dashboard alone as well", () => {
    const used = (of: readonly string[]) => new Set(of.flatMap((text) => namesIn(text).metrics));
    const shown = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect([...used(shown)].toSorted()).toEqual(exported.toSorted());
  });

  it("are not accepted when they are wrong", () => {
    expect(() => namesIn("sum(")).toThrow(/Not PromQL/);
    expect(() => namesIn("rate(a[5m]) by (b)")).toThrow(/Not PromQL/);
    expect(namesIn('sum by (a) (rate(b{c="d"}[$__rate_interval]))')).toEqual({
      metrics: ["b"],
      labels: ["a", "c"],
    });
  });
});

it("every alert links to its paragraph, and every panel that names one as well", () => {
  const anchors = anchorsOf(read("docs/operations.md"));
  const linked = [
    ...rules.map(({ annotations }) => annotations.runbook),
    ...dashboard.panels.map((one) => one.description),
  ];
  const named = linked.flatMap((text) =>
    [...text.matchAll(/docs\/operations\.md#([\w-]+)/g)].map(([, name = ""]) => name),
  );
  expect(named.length).toBeGreaterThan(rules.length);
  expect(named.filter((name) => !anchors.includes(name))).toEqual([]);
});

it("no panel covers another one", () => {
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
});

describe("deploy/monitoring/sql_exporter.yml", () => {
  const database = databaseForTests();
  const MONITOR = `aftercommit_monitoring_${process.pid}`;

  beforeAll(async () => {
    await database.db.execute(sql.raw(`create role ${MONITOR}; grant pg_read_all_data to ${MONITOR}`));
    await database.db.execute(sql`
      insert into aftercommit.pending (source, row_id, queue, version, accepted_at, accepted_xid, next_attempt)
      values ('post', '1', 'realtime', 1, now() - interval '1 minute', pg_current_xact_id(), now())`);
    await database.db.execute(sql`
      insert into aftercommit.rate_limits (name, tokens, requests, blocked_until)
      values ('a model', 5, 5, now() + interval '1 minute')`);
    await database.db.execute(sql`
      insert into aftercommit.deletions (source, row_id, position, requested_at, accepted_xid, required_systems)
      values ('user', gen_random_uuid(), '1', now() - interval '2 hours', pg_current_xact_id(), '{}')`);
  });
  afterAll(() => database.db.execute(sql.raw(`drop owned by ${MONITOR}; drop role ${MONITOR}`)));

  const queryOf = (metric: ExporterMetric) => {
    const named = exporter.collectors.flatMap(({ queries }) => queries);
    return metric.query ?? named.find(({ query_name }) => query_name === metric.query_ref)?.query ?? "";
  };
  /** What sql_exporter would send, with the rights of a role that only reads. */
  const samplesOf = (metric: ExporterMetric) =>
    database.db.transaction(async (tx) => {
      await tx.execute(sql.raw(`set local role ${MONITOR}`));
      const { rows, fields } = await tx.execute<Record<string, unknown>>(sql.raw(queryOf(metric)));
      const columns = fields.map(({ name }) => name);
      expect(columns).toEqual(expect.arrayContaining([...metric.key_labels, ...metric.values]));
      return rows;
    });

  it("asks for its collectors, and for no metric twice", () => {
    const names = exporter.collectors.map(({ collector_name }) => collector_name);
    expect(exporter.target.collectors).toEqual(names);
    expect(new Set(exported).size).toBe(exported.length);
  });

  it.each(fromDatabase.map((metric) => [metric.metric_name, metric] as const))(
    "%s is what its query answers: numbers, and texts as labels",
    async (_, metric) => {
      for (const row of await samplesOf(metric)) {
        for (const label of metric.key_labels) expect(row[label], label).toBeTypeOf("string");
        for (const value of metric.values)
          expect(row[value] === null ? 0 : Number(row[value]), value).not.toBeNaN();
      }
    },
  );

  it("sees what waits", async () => {
    const only = async (name: string) => {
      const metric = fromDatabase.find(({ metric_name }) => metric_name === name);
      return metric ? samplesOf(metric) : [];
    };
    expect(await only("aftercommit_rows")).toMatchObject([{ source: "post", pending: "1", failed: "0" }]);
    expect(await only("aftercommit_deletions_open")).toMatchObject([{ source: "user", open: "1" }]);
    const [deletion] = await only("aftercommit_deletions_oldest_seconds");
    expect(Number(deletion?.oldest_seconds)).toBeGreaterThan(7_000);
    const limits = await only("aftercommit_rate_limit_blocked_seconds");
    expect(Number(limits.find(({ name }) => name === "a model")?.blocked_seconds)).toBeGreaterThan(0);
    expect(
      (await only("aftercommit_model_paused_seconds")).map(({ paused_seconds: seconds }) => Number(seconds)),
    ).toEqual([0]);
  });
});
