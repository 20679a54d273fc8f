import { z } from "zod";

// Its config package rejects every other key: github.com/burningalchemist/sql_exporter, 0.24.
const name = z.string().regex(/^aftercommit_[a-z_]+$/);
const names = z.array(z.string().regex(/^[a-z_\d]+$/));
const metric = z
  .strictObject({
    metric_name: name,
    type: z.literal("gauge"),
    help: z.string().min(1),
    key_labels: names.default([]),
    value_label: z.string().optional(),
    values: names.min(1),
    query: z.string().optional(),
    query_ref: z.string().optional(),
  })
  .refine(({ query, query_ref }) => (query === undefined) !== (query_ref === undefined), "one of two queries")
  .refine(({ values, value_label }) => values.length === 1 || value_label !== undefined, "no value_label");
const collector = z.strictObject({
  collector_name: z.string(),
  metrics: z.array(metric).min(1),
  queries: z.array(z.strictObject({ query_name: z.string(), query: z.string() })).default([]),
});
const duration = z.string().regex(/^\d+s$/);

export type ExporterMetric = z.infer<typeof metric>;

/** The configuration of sql_exporter, as far as ours uses it. */
export const exporterSchema = z.strictObject({
  global: z.strictObject({
    min_interval: duration,
    max_connections: z.int(),
    max_idle_connections: z.int(),
  }),
  target: z.strictObject({ data_source_name: z.url(), collectors: z.array(z.string()) }),
  collectors: z.array(collector),
});
