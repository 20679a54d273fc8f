import type { EmbeddedSource } from "./embedded-source.ts";
import { posts } from "./posts.ts";

/** Every embedded table. */
export const sources: readonly EmbeddedSource[] = [posts];
