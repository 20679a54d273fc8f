import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { AggregationTemporality, InstrumentType } from "@opentelemetry/sdk-metrics";

/**
 * OTLP over HTTP. A gauge that was not read has no point: the SDK repeats the last one for ever where points add up, as a
 * slot that is gone, say. What is sent of a gauge is the same either way.
 */
export class MetricExporter extends OTLPMetricExporter {
  override selectAggregationTemporality(type: InstrumentType): AggregationTemporality {
    return type === InstrumentType.OBSERVABLE_GAUGE
      ? AggregationTemporality.DELTA
      : super.selectAggregationTemporality(type);
  }
}
