import { createHash } from "node:crypto";
import type { Fingerprint } from "../../drizzle/queries/post-embeddings.ts";
import { EMBEDDING_DIMENSIONS } from "../../drizzle/schema.ts";

type Post = { title: string; body: string };

/** The text that is embedded for a post. */
export const textOf = ({ title, body }: Post) => `${title}\n\n${body}`;

/** All that decides a vector besides the text. A new template or way of splitting gets a new version here. */
export const recipeOf = (model: string) => `${model}\n${EMBEDDING_DIMENSIONS}\ntitle-body-v1\n`;

/** SHA-256, in hex, of recipe and text: equal means that the stored vectors are current. */
export function fingerprintOf(post: Post, model: string): Fingerprint {
  const recipe = recipeOf(model);
  return {
    recipe,
    contentHash: createHash("sha256")
      .update(recipe + textOf(post))
      .digest("hex"),
  };
}
