import { posts } from "../aftercommit.config.ts";
import { reconcileTask } from "../packages/aftercommit/src/embeddings/tasks.ts";

export const reconcilePostEmbeddings = reconcileTask(posts);
