import { reconcileTask } from "aftercommit/trigger";
import { posts } from "../aftercommit.config.ts";

export const reconcilePostEmbeddings = reconcileTask(posts);
