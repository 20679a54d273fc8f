import { connect, type Database } from "../../drizzle/client.ts";
import { addUsage } from "../../drizzle/queries/embedding-usage.ts";
import { readPost, replaceEmbeddings } from "../../drizzle/queries/post-embeddings.ts";
import { required } from "../env.ts";
import { fingerprintOf, textOf } from "./fingerprint.ts";
import { type EmbedChunks, embedChunks, embeddingModel, type Usage } from "./provider.ts";
import { split } from "./split.ts";

export type EmbedPostResult = {
  postId: string;
  status: "embedded" | "unchanged" | "superseded" | "gone";
  /** Rows in post_embeddings that this run made; 0 for a post without text. */
  chunks: number;
  /** Tokens that the provider charged this run for. */
  tokens: number;
  model: string;
};

type Deps = { db?: Database; embed?: EmbedChunks; model?: string };

/**
 * Brings the vectors of a post up to its row's present text. A message only says that the row may have changed:
 * what it carries may be old, cut or `unchanged_toast`, so the row itself is read.
 */
export async function embedPost(
  id: bigint,
  { db = connect(required("DATABASE_URL")), embed = embedChunks, model = embeddingModel() }: Deps = {},
): Promise<EmbedPostResult> {
  const result = (status: EmbedPostResult["status"], chunks = 0, tokens = 0) => ({
    postId: String(id),
    status,
    chunks,
    tokens,
    model,
  });
  const post = await readPost(db, id);
  if (!post) return result("gone");
  const fingerprint = fingerprintOf(post, model);
  const texts = split(textOf(post));
  const wanted = texts.length > 0 ? [fingerprint.contentHash] : [];
  if (post.stored.length === wanted.length && post.stored[0] === wanted[0]) return result("unchanged");

  const used = (usage: Usage) => addUsage(db, usage);
  const { vectors, tokens } = texts.length > 0 ? await embed(texts, { used }) : { vectors: [], tokens: 0 };
  const chunks = vectors.map((embedding, index) => ({ embedding, tokens: texts[index]?.tokens ?? 0 }));
  const outcome = await replaceEmbeddings(db, { id, model, chunks, ...fingerprint });
  return outcome === "written" ? result("embedded", chunks.length, tokens) : result(outcome, 0, tokens);
}
