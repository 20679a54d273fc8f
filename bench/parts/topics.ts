import type pg from "pg";
import { randomOf } from "./texts.ts";

export const DIMENSIONS = 1_536;
const TOPICS = 1_000;
const PAGE = 500;

const random = randomOf(1);
const around = (spread: number) => (random() + random() + random() - 1.5) * spread;
const topics = Array.from({ length: TOPICS }, () =>
  Float32Array.from({ length: DIMENSIONS }, () => around(1)),
);

/** A vector as Postgres reads it. */
export const inText = (vector: Float32Array) => JSON.stringify(Array.from(vector));

/** A vector on one of 1,000 topics: texts on one topic are nearer to each other than to the rest. */
export function someVector(): Float32Array {
  const topic = topics[Math.floor(random() * TOPICS)] ?? new Float32Array(DIMENSIONS);
  return topic.map((value) => value + around(1));
}

type Rows = { modelId: number; count: number; progress(line: string): void; authorOf?(id: number): string };

/** Adds posts with a vector each to an empty database, numbered from 1. */
export async function addRowsOnTopics(
  client: pg.Client,
  { modelId, count, progress, authorOf = () => "Bench" }: Rows,
): Promise<void> {
  for (let from = 1; from <= count; from += PAGE) {
    const ids = Array.from({ length: Math.min(PAGE, count - from + 1) }, (_, n) => from + n);
    await client.query(
      `insert into posts (id, title, body, author)
       select p.id, 'Post ' || p.id, 'Some words.', p.author from unnest($1::bigint[], $2::text[]) as p(id, author)`,
      [ids, ids.map(authorOf)],
    );
    await client.query(
      `insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
       select v.id, ${modelId}, 0, 1, md5(v.id::text)::uuid, 0, 10, 5, v.embedding
       from (values ${ids.map((id, n) => `(${id}, $${n + 1}::halfvec)`).join(", ")}) as v(id, embedding)`,
      ids.map(() => inText(someVector())),
    );
    if ((from - 1) % 10_000 === 0) progress(`${from - 1 + ids.length} of ${count} rows`);
  }
  await client.query("vacuum analyze posts, post_embeddings");
}
