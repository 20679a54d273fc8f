import type { DevStack } from "../helpers/stack/dev-stack.ts";
import { cosine, vectorsOf } from "../helpers/stack/embeddings.ts";
import { ACTIVE_MODEL } from "./truth.ts";

type Row = { id: string; text: string; embedding: string };

const PAGE = 500;

/** How many of the stored vectors are not that of their post's current text, which the stack's own model embeds again. */
export async function countWrongVectors(stack: DevStack): Promise<number> {
  let wrong = 0;
  let last = "0";
  for (;;) {
    const rows = await stack.query<Row>(
      `select p.id, title || E'\\n\\n' || body as text, e.embedding::text from posts p join post_embeddings e
       on e.post_id = p.id and e.chunks = 1 and e.model_id = ${ACTIVE_MODEL}
       where p.id > $1 order by p.id limit ${PAGE}`,
      [last],
    );
    const end = rows.at(-1);
    if (!end) return wrong;
    last = end.id;
    const wanted = await vectorsOf(
      stack,
      rows.map(({ text }) => text),
    );
    wrong += rows.filter(
      ({ embedding }, index) => !(cosine(JSON.parse(embedding), wanted[index] ?? []) > 0.999),
    ).length;
  }
}
