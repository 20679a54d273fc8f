import { sql } from "drizzle-orm";
import type pg from "pg";
import { posts } from "../../aftercommit.config.ts";
import { vectorParameter } from "../../packages/aftercommit/src/embeddings/vector-parameter.ts";
import { rowsOf } from "../../packages/aftercommit/src/search/connection.ts";
import { rowsSql } from "../../packages/aftercommit/src/source.ts";
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

type Vectors = { modelId: number; from: number; count: number; progress(line: string): void };

/** Gives posts, from one number on, a vector of their current text each. */
export async function addVectorsOnTopics(
  client: pg.Client,
  { modelId, from, count, progress }: Vectors,
): Promise<void> {
  for (let done = 0; done < count; done += PAGE) {
    const vectors = Array.from({ length: Math.min(PAGE, count - done) }, (_, n) => {
      const id = sql.raw(String(from + done + n));
      return sql`(${id}, ${vectorParameter(someVector())}::vector::halfvec)`;
    });
    await rowsOf(
      client,
      sql`insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
        select r.id, ${modelId}, 0, 1, r.text_hash, 0, length(r.text), 5, v.embedding
        from (values ${sql.join(vectors, sql`, `)}) as v(id, embedding) join ${rowsSql(posts)} r on r.id = v.id`,
    );
    if (done % 10_000 === 0) progress(`${done + vectors.length} of ${count} vectors`);
  }
}

type Rows = { modelId: number; count: number; progress(line: string): void; authorOf?(id: number): string };

/** Adds posts with a vector each to an empty database, numbered from 1. */
export async function addRowsOnTopics(
  client: pg.Client,
  { authorOf = () => "Bench", ...rows }: Rows,
): Promise<void> {
  const ids = Array.from({ length: rows.count }, (_, n) => n + 1);
  await client.query(
    `insert into posts (id, title, body, author)
     select p.id, 'Post ' || p.id, 'Some words.', p.author from unnest($1::bigint[], $2::text[]) as p(id, author)`,
    [ids, ids.map(authorOf)],
  );
  await client.query("analyze posts");
  await addVectorsOnTopics(client, { ...rows, from: 1 });
  await client.query("vacuum analyze posts, post_embeddings");
}
