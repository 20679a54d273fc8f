import { drainTask } from "aftercommit/trigger";
import { posts } from "../aftercommit.config.ts";

export const createEmbeddingsForPosts = drainTask(posts);
