import { z } from "zod";
import { until } from "../until.ts";
import type { DevStack } from "./dev-stack.ts";

const answer = z.object({ data: z.array(z.object({ embedding: z.array(z.number()) })) });

/** The vectors of texts from the stack's own model, requested over HTTP. */
export async function vectorsOf(stack: DevStack, texts: readonly string[]): Promise<number[][]> {
  const response = await fetch(`http://127.0.0.1:${stack.ports.http}/v1/embeddings`, {
    method: "POST",
    headers: { authorization: "Bearer local", "content-type": "application/json" },
    body: JSON.stringify({ model: "text-embedding-3-small", input: texts, encoding_format: "float" }),
  });
  const { data } = answer.parse(await response.json());
  return data.map(({ embedding }) => embedding);
}

export const cosine = (a: number[], b: number[]) =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

type Row = { id: string; title: string; body: string; embedding: string | null };

/** Ids of the posts whose stored vector is missing or is not that of their current text. One chunk per post. */
export async function wrongEmbeddings(stack: DevStack): Promise<string[]> {
  const rows = await stack.query<Row>(
    `select p.id, title, body, e.embedding::text from posts p left join post_embeddings e on e.post_id = p.id
     and e.model_id = (select id from aftercommit.models where state = 'active') order by p.id`,
  );
  const wanted = await vectorsOf(
    stack,
    rows.map(({ title, body }) => `${title}\n\n${body}`),
  );
  const isRight = ({ embedding }: Row, index: number) =>
    embedding !== null && cosine(JSON.parse(embedding), wanted[index] ?? []) > 0.999;
  return rows.filter((row, index) => !isRight(row, index)).map(({ id }) => id);
}

/** The rows of a killed worker are leased for another minute, and the schedule looks for them once a minute. */
export const WORKER_DEAD_MS = 150_000;

/** Resolves when every post has a vector, judged only by the rows. Waits for a restarting database. */
export async function everyPostEmbedded(stack: DevStack): Promise<void> {
  await until(
    async () => {
      const rows = await stack
        .query<{ missing: number }>(
          `select count(*)::int as missing from posts p where not exists (select from post_embeddings e where e.post_id = p.id
           and e.model_id = (select id from aftercommit.models where state = 'active'))`,
        )
        .catch(() => []);
      return rows[0]?.missing === 0;
    },
    {
      everyMs: 200,
      what: "embedding of every post",
      progress: () => stack.output,
      stuckMs: WORKER_DEAD_MS,
    },
  );
}

/** Resolves when no deleted post has a vector. */
export async function noOrphans(stack: DevStack): Promise<void> {
  await until(
    async () => {
      const orphans = await stack
        .query("select from post_embeddings e where not exists (select from posts where id = e.post_id)")
        .catch(() => undefined);
      return orphans?.length === 0;
    },
    {
      everyMs: 200,
      what: "end of the vectors of deleted posts",
      progress: () => stack.output,
      stuckMs: WORKER_DEAD_MS,
    },
  );
}
