import { z } from "zod";

/** An object whose unknown keys are an error that names the accepted keys. */
function closed<Shape extends z.ZodRawShape>(shape: Shape, why: string) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `unknown key ${issue.keys.map((key) => `"${key}"`).join(", ")} (${why}); accepted: ${Object.keys(shape).join(", ")}`
        : undefined,
  });
}

const REFUSED = "Sequin refuses it";
const WHOLE_NUMBER = "a whole number; what a variable is replaced with stays a string";
const IGNORED = "Sequin would ignore it silently";

const name = z.string().regex(/^[a-zA-Z0-9_.-]+$/, "a name is letters, digits, _ - .");
const annotations = z.record(z.string(), z.json()).default({});
const anything = z.unknown().optional();

const headers = z
  .union([z.record(z.string(), z.string()), z.array(z.object({ key: z.string(), value: z.string() }))])
  .transform((given) =>
    Array.isArray(given) ? given.map(({ key, value }) => [key, value]) : Object.entries(given),
  )
  .transform((entries): Record<string, string> => Object.fromEntries(entries))
  .default({});

const internal = { id: anything, inserted_at: anything, updated_at: anything, account_id: anything };

const httpEndpoint = closed(
  {
    name,
    url: z.url({ protocol: /^https?$/, error: "an http or https URL" }).optional(),
    path: z.string().optional(),
    local: anything,
    "webhook.site": anything,
    headers,
    encrypted_headers: headers,
    ...internal,
  },
  REFUSED,
);

const destination = closed(
  {
    type: z.string(),
    http_endpoint: z.string().optional(),
    http_endpoint_path: z
      .string()
      .max(2000)
      .regex(/^(\/[a-zA-Z0-9\-._~!$&'()*+,;=:@%?/]*)?$/, "empty, or a path that starts with /")
      .default(""),
    batch: z.boolean().default(true),
  },
  IGNORED,
);

const tableList = z.array(z.string()).optional();

const sink = closed(
  {
    name,
    database: z.string(),
    status: z.enum(["active", "paused", "disabled"]).default("active"),
    annotations,
    source: closed(
      {
        include_tables: tableList,
        exclude_tables: tableList,
        include_schemas: tableList,
        exclude_schemas: tableList,
      },
      IGNORED,
    ).optional(),
    table: z.string().optional(),
    schema: z.string().optional(),
    tables: z
      .array(closed({ name: z.string(), group_column_names: z.array(z.string()).nullish() }, IGNORED))
      .default([]),
    actions: z.array(z.enum(["insert", "update", "delete"])).default(["insert", "update", "delete"]),
    destination,
    filter: z.string().nullish(),
    transform: z.string().nullish(),
    routing: z.string().nullish(),
    enrichment: z.string().nullish(),
    batch_size: z.int(WHOLE_NUMBER).min(1).max(1000).default(1),
    message_grouping: z
      .union([z.boolean(), z.enum(["true", "false"])])
      .transform((value) => value === true || value === "true")
      .default(true),
    max_retry_count: z.int(WHOLE_NUMBER).min(1).nullish(),
    load_shedding_policy: z.enum(["pause_on_full", "discard_on_full"]).optional(),
    timestamp_format: z.enum(["iso8601", "unix_microsecond"]).default("iso8601"),
    initial_backfill: z
      .union([
        z.boolean(),
        z.array(
          z.object({
            table: z.string(),
            type: z.enum(["full", "partial"]).default("full"),
            sort_column: z.string().optional(),
            start_position: z.union([z.string(), z.number()]).optional(),
          }),
        ),
      ])
      .nullish(),
    consumer_start: anything,
    active_backfill: anything,
    active_backfills: anything,
    message_kind: anything,
    replication_slot_id: anything,
    sequence_id: anything,
    ...internal,
  },
  REFUSED,
).refine((given) => given.destination.batch || given.batch_size === 1, {
  path: ["batch_size"],
  error: "must be 1 when destination.batch is false",
});

const functionBody = z.object({
  type: z.enum(["path", "transform", "filter", "routing", "enrichment", "function"]),
  description: z.string().optional(),
  path: z
    .string()
    .max(2000)
    .regex(
      /^(record|changes|action|metadata)(\.[a-zA-Z0-9_\-.]+)*$/,
      "a path into the message, such as record",
    )
    .optional(),
  code: z.string().optional(),
  file: z.string().optional(),
  sink_type: z.string().optional(),
});

const sequinFunction = z.union([
  functionBody.extend({ name }),
  z.object({ name, function: functionBody }).transform((given) => ({ ...given.function, name: given.name })),
  z
    .object({ name, transform: functionBody })
    .transform((given) => ({ ...given.transform, name: given.name })),
]);

const database = z
  .looseObject({
    name,
    annotations,
    url: z.string().optional(),
    hostname: z.string().optional(),
    database: z.string().optional(),
    publication: z.looseObject({ name: z.string(), init_sql: z.string().optional() }).optional(),
    publication_name: z.string().optional(),
  })
  .refine(
    (given) => given.url !== undefined || (given.hostname && given.database),
    "needs url, or hostname and database",
  );

/**
 * A sequin.yaml after substitution, with the keys that Sequin accepts (lib/sequin/transforms/transforms.ex). Sequin
 * rejects unknown keys on sinks and http_endpoints, and ignores them on databases and at the top.
 */
export const document = z.object({
  databases: z.array(database).default([]),
  http_endpoints: z.array(httpEndpoint).default([]),
  functions: z.array(sequinFunction).optional(),
  transforms: z.array(sequinFunction).optional(),
  sinks: z.array(sink).default([]),
});

export type Document = z.infer<typeof document>;
