import { SemanticInternalAttributes as keys } from "@trigger.dev/core/v3";
import { z } from "zod";
import type { Engine } from "./engine/engine.ts";
import type { LogLine } from "./store/records.ts";

const MAX_LINES = 200;
const MAX_TEXT = 4_000;

const Value = z.object({
  stringValue: z.string().optional(),
  intValue: z.union([z.string(), z.number()]).optional(),
  doubleValue: z.number().optional(),
  boolValue: z.boolean().optional(),
});
const Attributes = z.array(z.object({ key: z.string(), value: Value })).default([]);
const Resource = z.object({ attributes: Attributes }).optional();
const Nanoseconds = z.union([z.string(), z.number()]).transform((value) => Math.round(Number(value) / 1e6));

/** The parts of OTLP/JSON that are kept (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). */
export const LogsRequest = z.object({
  resourceLogs: z.array(
    z.object({
      resource: Resource,
      scopeLogs: z.array(
        z.object({
          logRecords: z.array(
            z.object({
              timeUnixNano: Nanoseconds,
              severityText: z.string().default("LOG"),
              body: Value.optional(),
              attributes: Attributes,
            }),
          ),
        }),
      ),
    }),
  ),
});

export const TracesRequest = z.object({
  resourceSpans: z.array(
    z.object({
      resource: Resource,
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              name: z.string(),
              startTimeUnixNano: Nanoseconds,
              endTimeUnixNano: Nanoseconds,
              status: z.object({ code: z.number().optional() }).optional(),
              attributes: Attributes,
            }),
          ),
        }),
      ),
    }),
  ),
});

// The name of the run in TaskContextSpanProcessor and TaskContextLogProcessor of @trigger.dev/core.
const RUN_ID = `${keys.METADATA}.${keys.RUN_ID}`;

/** Stores what `logger.*` and `console.*` wrote in a task. */
export function keepLogs(engine: Engine, { resourceLogs }: z.output<typeof LogsRequest>): void {
  for (const { resource, scopeLogs } of resourceLogs)
    for (const { logRecords } of scopeLogs)
      for (const record of logRecords) {
        const attributes = { ...plain(resource?.attributes), ...plain(record.attributes) };
        append(engine, attributes, {
          at: record.timeUnixNano,
          kind: "log",
          level: record.severityText,
          message: String(scalar(record.body ?? {}) ?? "").slice(0, MAX_TEXT),
          attributes: own(record.attributes),
        });
      }
}

/** Stores the spans of a run: its attempts, waits, and what `logger.trace` measured. */
export function keepSpans(engine: Engine, { resourceSpans }: z.output<typeof TracesRequest>): void {
  for (const { resource, scopeSpans } of resourceSpans)
    for (const { spans } of scopeSpans)
      for (const span of spans) {
        const attributes = { ...plain(resource?.attributes), ...plain(span.attributes) };
        // Sent when a span begins, and again without this when it has ended.
        if (attributes[keys.SPAN_PARTIAL]) continue;
        append(engine, attributes, {
          at: span.startTimeUnixNano,
          kind: "span",
          level: span.status?.code === 2 ? "ERROR" : "SPAN",
          message: span.name.slice(0, MAX_TEXT),
          durationMs: span.endTimeUnixNano - span.startTimeUnixNano,
          attributes: own(span.attributes),
        });
      }
}

function append(engine: Engine, attributes: Record<string, unknown>, line: LogLine): void {
  const id = String(attributes[RUN_ID] ?? "").replace(/^run_/, "");
  if (!engine.tables.runs.get(id)) return;
  const log = engine.tables.logs.get(id) ?? { id, lines: [] };
  if (log.lines.length >= MAX_LINES) return;
  log.lines.push(line);
  engine.tables.logs.save(log);
}

function plain(attributes: z.output<typeof Attributes> = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, scalar(value)]));
}

/** The attributes that the task's author set: those of the SDK have a prefix. */
function own(attributes: z.output<typeof Attributes>): Record<string, unknown> {
  return plain(
    attributes.filter(
      ({ key }) => !/^(\$|ctx\.|sdk|cli|worker\.|trigger|git\.|task\.|exception\.)/.test(key),
    ),
  );
}

function scalar(value: z.output<typeof Value>): unknown {
  const found = value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue;
  return typeof found === "string" ? found.slice(0, MAX_TEXT) : found;
}
