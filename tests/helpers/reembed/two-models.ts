import { createHash } from "node:crypto";
import { sql } from "drizzle-orm";
import { cosine } from "../../../emulators/openai/tests/cosine.ts";
import type { Database } from "../../../packages/aftercommit/src/db/client.ts";
import { chanceOf } from "../seed.ts";

/** Models whose vectors are unrelated, by their widths. */
export const WIDTHS: Readonly<Record<string, number>> = { "model-a": 64, "model-b": 48 };

/** The same vector for the same text and model, and another for another model. */
export function vectorBy(model: string, text: string): number[] {
  const digest = createHash("md5").update(`${model}\n${text}`).digest();
  const chance = chanceOf(digest.readInt32LE());
  return Array.from({ length: WIDTHS[model] ?? 0 }, () => chance() * 2 - 1);
}

/** Which of the models gives a text and a query this similarity; halfvec keeps three digits of it. */
export const isBy = (model: string, texts: readonly string[], query: string, score: number) =>
  texts.some((text) => Math.abs(cosine(vectorBy(model, text), vectorBy(model, query)) - score) < 0.005);

/** Ids of the posts, or of one post, whose vectors by a model are not exactly the one of their current text. */
export async function wrongBy(db: Database, model: string, only?: string): Promise<string[]> {
  const { rows } = await db.execute<{ id: string; text: string; current: boolean; vectors: string[] }>(sql`
    select p.id::text, concat_ws(E'\\n\\n', title, body) as text,
      coalesce(bool_and(e.text_hash = md5('1000:' || concat_ws(E'\\n\\n', title, body))::uuid), false) as current,
      array_remove(array_agg(e.embedding::text), null) as vectors
    from posts p left join post_embeddings e
      on e.post_id = p.id and e.model_id = (select id from aftercommit.models where name = ${model})
    where ${only === undefined ? sql`true` : sql`p.id = ${only}`} group by p.id`);
  const isRight = ({ text, current, vectors }: (typeof rows)[number]) =>
    current && vectors.length === 1 && cosine(JSON.parse(vectors[0] ?? "[]"), vectorBy(model, text)) > 0.999;
  return rows.filter((row) => !isRight(row)).map(({ id }) => id);
}
