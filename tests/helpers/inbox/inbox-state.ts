import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Queries } from "../../../packages/aftercommit/src/source.ts";
import { hashOf } from "./notes.ts";

const xid = z.string().transform(BigInt);
const stateSchema = z.object({
  entries: z.array(
    z.object({
      rowId: z.string(),
      queue: z.string(),
      version: z.string(),
      acceptedXid: xid,
      settleXid: xid.nullable(),
      lease: z.string().nullable(),
      error: z.string().nullable(),
      isDue: z.boolean(),
    }),
  ),
  /** The text that each row's vectors by a model belong to. */
  vectors: z.array(z.object({ rowId: z.string(), model: z.string(), text: z.string() })),
  /** The text that each row's words are of. */
  words: z.array(z.object({ rowId: z.string(), text: z.string() })),
  models: z.array(z.object({ name: z.string(), state: z.string(), isComplete: z.boolean() })),
});

/** Aftercommit's state in the database. */
export type State = z.infer<typeof stateSchema>;

const textOf = new Map(["a", "b", "c"].map((text) => [hashOf(text), text]));

export async function readState(db: Queries): Promise<State> {
  const { rows } = await db.execute(sql`select
    (select coalesce(json_agg(json_build_object('rowId', row_id, 'queue', queue, 'version', version::text,
      'acceptedXid', accepted_xid::text, 'settleXid', settle_xid::text, 'lease', lease, 'error', error,
      'isDue', next_attempt <= clock_timestamp()) order by row_id), '[]') from aftercommit.pending) as entries,
    (select coalesce(json_agg(json_build_object('rowId', e.note_id::text, 'model', m.name, 'text', e.text_hash)
      order by e.note_id, m.name), '[]')
      from note_embeddings e join aftercommit.models m on m.id = e.model_id) as vectors,
    (select coalesce(json_agg(json_build_object('rowId', note_id::text, 'text', text_hash) order by note_id), '[]')
      from aftercommit.note_words) as words,
    (select coalesce(json_agg(json_build_object('name', name, 'state', state, 'isComplete', completed_at is not null)
      order by name), '[]') from aftercommit.models) as models`);
  const state = stateSchema.parse(rows[0]);
  const known = <Each extends { text: string }>(each: Each) => ({
    ...each,
    text: textOf.get(each.text) ?? each.text,
  });
  return { ...state, vectors: state.vectors.map(known), words: state.words.map(known) };
}
