import { z } from "zod";
import { until } from "../until.ts";
import type { DevStack } from "./dev-stack.ts";

const answer = z.object({ data: z.array(z.object({ embedding: z.array(z.number()) })) });

/** The vector that the stack's own model gives a text, asked for over HTTP. */
export async function vectorOf(stack: DevStack, text: string): Promise<number[]> {
  const response = await fetch(`http://127.0.0.1:${stack.ports.http}/v1/embeddings`, {
    method: "POST",
    headers: { authorization: "Bearer local", "content-type": "application/json" },
    body: JSON.stringify({ model: "text-embedding-3-small", input: text, encoding_format: "float" }),
  });
  const { data } = answer.parse(await response.json());
  return data[0]?.embedding ?? [];
}

const cosine = (a: number[], b: number[]) =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

type Row = { id: string; title: string; body: string; embedding: string | null };

/** Ids of the posts whose stored vector is missing or is not that of their present text. One chunk a post. */
export async function wrongEmbeddings(stack: DevStack): Promise<string[]> {
  const rows = await stack.query<Row>(
    "select p.id, title, body, e.embedding::text from posts p left join post_embeddings e on e.post_id = p.id order by p.id",
  );
  const checks = rows.map(async ({ id, title, body, embedding }) => {
    if (!embedding) return id;
    const stored: number[] = JSON.parse(embedding);
    const wanted = await vectorOf(stack, `${title}\n\n${body}`);
    return cosine(stored, wanted) > 0.999 ? undefined : id;
  });
  return (await Promise.all(checks)).filter((id) => id !== undefined);
}

/** Resolves when every post has a vector, checked by the rows alone; a database that is starting again is waited for. */
export async function everyPostEmbedded(stack: DevStack, timeoutMs: number): Promise<void> {
  await until(
    async () => {
      const rows = await stack
        .query<{ missing: number }>(
          "select count(*)::int as missing from posts p where not exists (select from post_embeddings where post_id = p.id)",
        )
        .catch(() => []);
      return rows[0]?.missing === 0;
    },
    { timeoutMs, everyMs: 200, what: "every post to have an embedding" },
  );
}
