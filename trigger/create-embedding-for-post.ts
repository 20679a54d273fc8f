import { embedOneTask } from "aftercommit/trigger";
import { posts } from "../aftercommit.config.ts";

export const createEmbeddingForPost = embedOneTask(posts);
