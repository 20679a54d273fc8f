import { randomUUID } from "node:crypto";
import { metrics } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { optional } from "../env/env.ts";
import { METER } from "./catalog.ts";

// The default in OpenTelemetry's specification.
const INTERVAL_MS = 60_000;
const LONGEST_EXPORT_MS = 30_000;

/**
 * Sends the app's counters to OTEL_EXPORTER_OTLP_ENDPOINT with OTLP over HTTP (JSON), every minute or every
 * OTEL_METRIC_EXPORT_INTERVAL milliseconds. The exporter reads the other standard variables itself, such as
 * OTEL_EXPORTER_OTLP_HEADERS (opentelemetry.io/docs/specs/otel/protocol/exporter).
 */
export function startMetrics(): MeterProvider {
  const interval = Number(optional("OTEL_METRIC_EXPORT_INTERVAL") ?? INTERVAL_MS);
  const provider = new MeterProvider({
    // Without its own id, Prometheus would take the counts of two processes for one.
    resource: resourceFromAttributes({ "service.name": METER, "service.instance.id": randomUUID() }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter(),
        exportIntervalMillis: interval,
        exportTimeoutMillis: Math.min(interval, LONGEST_EXPORT_MS),
      }),
    ],
  });
  metrics.setGlobalMeterProvider(provider);
  return provider;
}
