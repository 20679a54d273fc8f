import { metrics, type ObservableGauge } from "@opentelemetry/api";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { optional } from "../env.ts";
import { METER, METRICS } from "./catalog.ts";
import { MetricExporter } from "./exporter.ts";
import { readGauges } from "./read-gauges.ts";

// As the specification of OpenTelemetry has them.
const INTERVAL_MS = 60_000;
const LONGEST_EXPORT_MS = 30_000;

/**
 * Sends the app's metrics to OTEL_EXPORTER_OTLP_ENDPOINT by OTLP over HTTP with JSON, every minute or
 * OTEL_METRIC_EXPORT_INTERVAL milliseconds. The exporter reads the other standard variables itself, such as
 * OTEL_EXPORTER_OTLP_HEADERS (opentelemetry.io/docs/specs/otel/protocol/exporter).
 */
export function startMetrics(): MeterProvider {
  const interval = Number(optional("OTEL_METRIC_EXPORT_INTERVAL") ?? INTERVAL_MS);
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ "service.name": METER }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new MetricExporter(),
        exportIntervalMillis: interval,
        exportTimeoutMillis: Math.min(interval, LONGEST_EXPORT_MS),
      }),
    ],
  });
  metrics.setGlobalMeterProvider(provider);
  const meter = provider.getMeter(METER);
  const gauges = new Map<string, ObservableGauge>();
  for (const [name, { kind, unit, description }] of Object.entries(METRICS))
    if (kind === "gauge") gauges.set(name, meter.createObservableGauge(name, { unit, description }));
  meter.addBatchObservableCallback(
    async (result) => {
      for (const { name, value, attributes } of await readGauges()) {
        const gauge = gauges.get(name);
        if (gauge) result.observe(gauge, value, attributes);
      }
    },
    [...gauges.values()],
  );
  return provider;
}
