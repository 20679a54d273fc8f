import { sql } from "drizzle-orm";
import type { Database } from "../../client.ts";
import type { EmbeddedTable } from "../../embedded-table.ts";
import { halfvec } from "../../halfvec.ts";

/** One vector of a row; `start` and `length` are characters of the row's text as Postgres counts them. */
type Chunk = { vector: Float32Array; start: number; length: number; tokens: number };

/** All vectors of a row, made from the text of that hash; none for a blank text. */
export type EmbeddedRow = { id: string; textHash: string | null; chunks: readonly Chunk[] };

export type Written = "written" | "superseded" | "gone";

const at = (date: Date | null) => sql`${date?.toISOString() ?? null}::timestamptz`;

/**
 * Replaces all vectors of some rows, each only if the row still has the text that they were made from, and forgets what
 * was refused about them. `superseded`: the row has another text by now, and that change brings a run of its own.
 * `changedAt` is when the change was committed that this answers.
 */
export async function replaceEmbeddings(
  db: Pick<Database, "execute">,
  of: EmbeddedTable,
  modelId: number,
  embedded: readonly EmbeddedRow[],
  changedAt: Date | null,
): Promise<Map<string, Written>> {
  const chunks = embedded.flatMap(({ id, chunks }) =>
    chunks.map((chunk, number) => ({ id, number, ...chunk })),
  );
  const column = (of: (chunk: (typeof chunks)[number]) => string | number) => sql.param(chunks.map(of));
  // One parameter each, as an array cannot hold their binary form: Postgres takes 65,535.
  const vectors =
    chunks.length === 0
      ? sql`select 0, null::halfvec where false`
      : sql`values ${sql.join(
          chunks.map(
            ({ vector }, index) => sql`(${sql.raw(String(index + 1))}, ${halfvec(vector)}::halfvec)`,
          ),
          sql`, `,
        )}`;
  // The lock keeps each text as it is until the commit: no update slips in between the check and the write, and an older
  // run that ends late finds the newer text. Taken in the order of the keys, so that two runs cannot block each other.
  const { rows } = await db.execute<{ id: string; outcome: Written }>(sql`
    with given as (
      select g.id::${of.idType} as id, g.text_hash, g.chunks from unnest(${sql.param(embedded.map((row) => row.id))}::text[],
        ${sql.param(embedded.map((row) => row.textHash))}::uuid[],
        ${sql.param(embedded.map((row) => row.chunks.length))}::int[]) as g(id, text_hash, chunks)
    ), locked as materialized (
      select r.${of.id} as id, r.text_hash from ${of.table} r where r.${of.id} in (select id from given)
      order by r.${of.id} for no key update
    ), present as (
      select g.* from given g join locked l on l.id = g.id and l.text_hash is not distinct from g.text_hash
    ), dropped as (
      delete from ${of.embeddings} e using present p
      where e.${of.rowId} = p.id and e.model_id = ${modelId} and e.chunk >= p.chunks
    ), healed as (
      delete from embedding_failures f using present p
      where f.source = ${of.name} and f.row_id = p.id::text and f.model_id = ${modelId}
    ), written as (
      insert into ${of.embeddings} (${of.rowId}, model_id, chunk, chunks, text_hash, start, length, tokens, embedding, changed_at)
      select p.id, ${modelId}, v.chunk, p.chunks, p.text_hash, v.start, v.length, v.tokens, w.embedding, ${at(changedAt)}
      from unnest(${column(({ id }) => id)}::text[], ${column(({ number }) => number)}::int[],
        ${column(({ start }) => start)}::int[], ${column(({ length }) => length)}::int[],
        ${column(({ tokens }) => tokens)}::int[]) with ordinality as v(id, chunk, start, length, tokens, place)
      join (${vectors}) as w(place, embedding) on w.place = v.place
      join present p on p.id = v.id::${of.idType}
      on conflict (${of.rowId}, model_id, chunk) do update set chunks = excluded.chunks, text_hash = excluded.text_hash,
        start = excluded.start, length = excluded.length, tokens = excluded.tokens, embedding = excluded.embedding,
        changed_at = excluded.changed_at, updated_at = now()
    )
    select g.id::text, case when l.id is null then 'gone' when p.id is null then 'superseded' else 'written' end as outcome
    from given g left join locked l on l.id = g.id left join present p on p.id = g.id`);
  return new Map(rows.map(({ id, outcome }) => [id, outcome]));
}
