import { posts } from "../aftercommit.config.ts";
import { drainTask } from "../packages/aftercommit/src/embeddings/tasks.ts";

export const createEmbeddingsForPosts = drainTask(posts);
