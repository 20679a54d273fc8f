import * as z from "zod";

const columns = z.record(z.string(), z.unknown());

const metadataSchema = z.looseObject({
  table_schema: z.string().optional(),
  table_name: z.string().optional(),
  commit_timestamp: z.string().nullish(),
  commit_lsn: z.number().nullish(),
  commit_idx: z.number().nullish(),
  idempotency_key: z.string().min(1).nullish(),
  record_pks: z.array(z.string()).nullish(),
  consumer: z.looseObject({ id: z.string().optional(), name: z.string().optional() }).nullish(),
});

const base = { record: columns, changes: columns.nullish(), metadata: metadataSchema.default({}) };

/**
 * One message of a Sequin sink (sequinstream/sequin, lib/sequin/transforms/message.ex). Only `record` is required: a
 * transform may drop the rest, and messages of Sequin's older row sinks have neither `action` nor `changes`. Those say
 * that the row exists, never that it was deleted.
 */
export const sequinMessageSchema = z.discriminatedUnion("action", [
  z.looseObject({ ...base, action: z.literal("insert") }),
  z.looseObject({ ...base, action: z.literal("update") }),
  z.looseObject({ ...base, action: z.literal("delete") }),
  z.looseObject({ ...base, action: z.literal("read") }),
  z.looseObject({ ...base, action: z.undefined().optional() }),
]);

export type SequinMessage = z.infer<typeof sequinMessageSchema>;
