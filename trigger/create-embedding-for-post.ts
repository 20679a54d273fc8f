import { posts } from "../lib/embeddings/posts.ts";
import { liveTask } from "../lib/embeddings/tasks.ts";

export const createEmbeddingForPost = liveTask(posts);
