import { posts } from "../lib/embeddings/posts.ts";
import { bulkTask } from "../lib/embeddings/tasks.ts";

export const createEmbeddingsForPosts = bulkTask(posts);
