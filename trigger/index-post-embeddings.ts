import { posts } from "../aftercommit.config.ts";
import { indexTask } from "../packages/aftercommit/src/embeddings/tasks.ts";

export const indexPostEmbeddings = indexTask(posts);
