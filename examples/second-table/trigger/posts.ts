import { drainTask, embedOneTask, indexTask, reconcileTask } from "aftercommit/trigger";
import { posts } from "../aftercommit.config";

export const createEmbeddingForPost = embedOneTask(posts);
export const createEmbeddingsForPosts = drainTask(posts);
export const reconcilePostEmbeddings = reconcileTask(posts);
export const indexPostEmbeddings = indexTask(posts);
