import { posts } from "../aftercommit.config.ts";
import { embedOneTask } from "../packages/aftercommit/src/embeddings/tasks.ts";

export const createEmbeddingForPost = embedOneTask(posts);
